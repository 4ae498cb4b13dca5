"""The ONNX model as a server runs it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Array = NDArray[Any]
Inputs = Mapping[str, Array]
"""Arrays of the same number of rows, by the names of the model's inputs."""
Ask = Callable[[Inputs], list[Array]]

BATCH = 1000


def batches(inputs: Inputs, size: int = BATCH) -> Iterator[Inputs]:
    """The rows in order, at most ``size`` at a time."""
    rows = len(next(iter(inputs.values())))
    for start in range(0, rows, size):
        yield {name: array[start : start + size] for name, array in inputs.items()}


def asker(model: Path | bytes) -> Ask:
    """What runs a model on one thread: inputs to all of its outputs, in their order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, dict(inputs))


def answers(model: Path | bytes, inputs: Inputs, size: int = BATCH) -> list[Array]:
    """The model's outputs, asked for so many rows at a time."""
    asked = map(asker(model), batches(inputs, size))
    return [np.concatenate(output) for output in zip(*asked, strict=True)]
