"""How long the ONNX model takes for a row."""

import statistics
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export import runtime
from export.runtime import Ask

BATCHES = (1, 32, 256)
_REPEATS = 7
_SECONDS = 0.03  # of each repeat, at least


def us_per_row(onnx_file: Path, rows: NDArray[np.float32]) -> dict[int, float]:
    """CPU time of a row in µs, by the rows of a run: the median of several repeats on one thread.

    CPU time, for it does not count what else the machine does meanwhile.
    """
    ask = runtime.asker(onnx_file)
    times = {}
    for size in BATCHES:
        batch = np.resize(rows, (size, rows.shape[1]))
        ask(batch)  # the first run of a shape also plans its memory
        times[size] = statistics.median(_seconds(ask, batch) for _ in range(_REPEATS)) / size * 1e6
    return times


def _seconds(ask: Ask, batch: NDArray[np.float32]) -> float:
    """CPU time of one run."""
    count = 0
    began = time.process_time()
    while (passed := time.process_time() - began) < _SECONDS:
        ask(batch)
        count += 1
    return passed / count
