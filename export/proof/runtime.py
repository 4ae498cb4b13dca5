"""Run an ONNX model as the server does."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Array = NDArray[Any]
Inputs = Mapping[str, Array]
"""Arrays with the same number of rows, by the name of the model's input."""
Run = Callable[[Inputs], list[Array]]
"""Runs a model: inputs to all of its outputs, in their order."""

BATCH = 1000


def batches(inputs: Inputs, size: int = BATCH) -> Iterator[Inputs]:
    """Yield the rows in order, at most ``size`` at a time."""
    rows = len(next(iter(inputs.values())))
    for start in range(0, rows, size):
        yield {name: array[start : start + size] for name, array in inputs.items()}


def session(model: Path | bytes) -> Run:
    """Load a model that runs on one CPU thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    loaded = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda inputs: loaded.run(None, dict(inputs))


def predict(model: Path | bytes, inputs: Inputs, size: int = BATCH) -> list[Array]:
    """Run a model on any number of rows, ``size`` at a time; returns all of its outputs."""
    parts = map(session(model), batches(inputs, size))
    return [np.concatenate(output) for output in zip(*parts, strict=True)]
