"""Score, size and CPU time of ONNX models."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.proof import runtime, score
from export.proof.runtime import Inputs, Run

BATCHES = (1, 32, 256)
_REPEATS = 7
_SECONDS = 0.03  # CPU time of each repeat, at least


@dataclass(frozen=True)
class Measurements:
    """Of one model."""

    metrics: Mapping[str, float]
    """On the test set; see ``score.measure``."""
    bytes: int
    """Size of the ONNX file."""
    us_per_row: Mapping[str, float]
    """See ``us_per_row``."""


def measure(
    onnx_files: Sequence[Path], inputs: Inputs, y_test: NDArray[Any], task: str
) -> list[Measurements]:
    """Measure models that take the same inputs, the test set, side by side."""
    times = us_per_row(onnx_files, inputs)
    return [
        Measurements(score.measure(task, file, inputs, y_test), file.stat().st_size, speed)
        for file, speed in zip(onnx_files, times, strict=True)
    ]


def us_per_row(
    onnx_files: Sequence[Path], inputs: Inputs, sizes: Sequence[int] = BATCHES
) -> list[dict[str, float]]:
    """Measure the CPU time per row on one thread, by batch size.

    CPU time does not depend on what else the machine does. The models take turns, so that a change
    of the CPU's clock affects all of them.

    Args:
        onnx_files: models that take the same inputs.
        inputs: rows, repeated up to each batch size.
        sizes: rows per run.

    Returns:
        For each model: the batch size as text, and the median of several repeats in µs.

    """
    sessions = [runtime.session(file) for file in onnx_files]
    times: list[dict[str, float]] = [{} for _ in sessions]
    for size in sizes:
        batch = {name: np.resize(rows, (size, *rows.shape[1:])) for name, rows in inputs.items()}
        for run in sessions:
            run(batch)  # the first run of a shape also plans its memory
        rounds = [[_seconds(run, batch) for run in sessions] for _ in range(_REPEATS)]
        for found, seconds in zip(times, zip(*rounds, strict=True), strict=True):
            found[str(size)] = statistics.median(seconds) / size * 1e6
    return times


def _seconds(run: Run, batch: Inputs) -> float:
    """CPU time of one run."""
    count = 0
    began = time.process_time()
    while (passed := time.process_time() - began) < _SECONDS:
        run(batch)
        count += 1
    return passed / count
