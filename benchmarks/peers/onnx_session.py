"""The ONNX model as all adapters load it: one thread for each worker."""

import os

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class OnnxSession:
    """The file that ``PEER_MODEL`` names."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["PEER_MODEL"], options)
        self._input = self._session.get_inputs()[0].name

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of shape (rows, classes) for images of shape (rows, features)."""
        (scores,) = self._session.run(None, {self._input: images})
        return np.asarray(scores)
