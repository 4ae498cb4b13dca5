"""Mosec: a Rust front, and as many Python workers as CPUs, as its README's example.

Without dynamic batching, which its documentation recommends for models that gain by it: a
request is a batch already.
"""

import numpy as np
from mosec import Server, Worker

from benchmarks.peers.onnx_session import Graph


class Digits(Worker):
    """Takes and gives JSON, which is Mosec's default."""

    def __init__(self) -> None:
        super().__init__()
        self._graph = Graph()

    def forward(self, data: dict[str, list[list[float]]]) -> dict[str, object]:
        """Answer a batch of images."""
        scores = self._graph.run(np.asarray(data["images"], dtype=np.float32))
        return {"predictions": scores.argmax(axis=1).tolist(), "probabilities": scores.tolist()}


if __name__ == "__main__":
    server = Server()
    server.append_worker(Digits, num=2)
    server.run()
