"""LitServe: a LitAPI on the CPU with ``workers_per_device``, as in its README."""

import os
import sys
from typing import Any

import litserve
import numpy as np

from benchmarks.peers.onnx_session import OnnxSession


class Digits(litserve.LitAPI):
    """Answers at ``/predict``, LitServe's default."""

    def setup(self, device: str) -> None:
        """Load the model, in each worker."""
        self._model = OnnxSession()

    def decode_request(self, request: dict[str, Any]) -> Any:
        """Make an array of a batch of images."""
        return np.asarray(request["images"], dtype=np.float32)

    def predict(self, x: Any) -> Any:
        """Probabilities of each image."""
        return self._model.run(x)

    def encode_response(self, output: Any) -> dict[str, object]:
        """Answer as all peers do."""
        return {"predictions": output.argmax(axis=1).tolist(), "probabilities": output.tolist()}


if __name__ == "__main__":
    workers = int(os.environ["PEER_WORKERS"])
    server = litserve.LitServer(Digits(), accelerator="cpu", workers_per_device=workers)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
