"""The ONNX model as a server runs it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

BATCH = 1000


def batches(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """``rows`` in order, at most ``BATCH`` at a time."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def answers(onnx_file: Path, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Outputs of the model's first output for ``rows`` of shape (N, features), on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: batch})[0] for batch in batches(rows)])
