"""What an ONNX model is worth and what it costs: accuracy, size, and time for a row."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.proof import runtime
from export.proof.runtime import Ask, Inputs

BATCHES = (1, 32, 256)
_REPEATS = 7
_SECONDS = 0.03  # of each repeat, at least


@dataclass(frozen=True)
class Measured:
    """Of one model."""

    test_accuracy: float
    """See ``accuracy``."""
    bytes: int
    us_per_row: Mapping[str, float]
    """See ``us_per_row``."""


def measure(
    onnx_files: Sequence[Path], inputs: Inputs, y_test: NDArray[np.int64]
) -> list[Measured]:
    """Measure models that take the same inputs, the test set, side by side."""
    speeds = us_per_row(onnx_files, inputs)
    return [
        Measured(accuracy(file, inputs, y_test), file.stat().st_size, speed)
        for file, speed in zip(onnx_files, speeds, strict=True)
    ]


def accuracy(onnx_file: Path, inputs: Inputs, y_test: NDArray[np.int64]) -> float:
    """Part of the rows, 0..1, whose class has the largest first output."""
    return float((runtime.answers(onnx_file, inputs)[0].argmax(axis=1) == y_test).mean())


def us_per_row(
    onnx_files: Sequence[Path], inputs: Inputs, sizes: Sequence[int] = BATCHES
) -> list[dict[str, float]]:
    """CPU time of a row in µs, by the rows of a run: the median of several repeats on one thread.

    CPU time, for it does not count what else the machine does meanwhile. The models take turns.
    """
    asks = [runtime.asker(file) for file in onnx_files]
    times: list[dict[str, float]] = [{} for _ in asks]
    for size in sizes:
        batch = {name: np.resize(rows, (size, *rows.shape[1:])) for name, rows in inputs.items()}
        for ask in asks:
            ask(batch)  # the first run of a shape also plans its memory
        rounds = [[_seconds(ask, batch) for ask in asks] for _ in range(_REPEATS)]
        for found, seconds in zip(times, zip(*rounds, strict=True), strict=True):
            found[str(size)] = statistics.median(seconds) / size * 1e6
    return times


def _seconds(ask: Ask, batch: Inputs) -> float:
    """CPU time of one run."""
    count = 0
    began = time.process_time()
    while (passed := time.process_time() - began) < _SECONDS:
        ask(batch)
        count += 1
    return passed / count
