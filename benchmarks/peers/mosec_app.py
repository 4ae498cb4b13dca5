"""Mosec: a front end in Rust and Python workers, as in the example of its README.

It runs without dynamic batching, which its documentation recommends for models that gain by it: a
request is a batch already.
"""

import os

import numpy as np
from mosec import Server, Worker

from benchmarks.peers.onnx_session import OnnxSession


class Digits(Worker):
    """Takes and gives JSON, which is Mosec's default."""

    def __init__(self) -> None:
        super().__init__()
        self._model = OnnxSession()

    def forward(self, data: dict[str, list[list[float]]]) -> dict[str, object]:
        """Answer a batch of images."""
        scores = self._model.run(np.asarray(data["images"], dtype=np.float32))
        return {"predictions": scores.argmax(axis=1).tolist(), "probabilities": scores.tolist()}


if __name__ == "__main__":
    server = Server()
    server.append_worker(Digits, num=int(os.environ["PEER_WORKERS"]))
    server.run()
