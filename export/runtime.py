"""The ONNX model as a server runs it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Ask = Callable[[NDArray[np.float32]], NDArray[np.float32]]

BATCH = 1000


def batches(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """``rows`` in order, at most ``BATCH`` at a time."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def asker(onnx_file: Path) -> Ask:
    """What runs the model on one thread: rows of shape (N, features) to its first output."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda rows: session.run(None, {name: rows})[0]


def answers(onnx_file: Path, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The model's first output for ``rows`` of shape (N, features)."""
    ask = asker(onnx_file)
    return np.concatenate([ask(batch) for batch in batches(rows)])
