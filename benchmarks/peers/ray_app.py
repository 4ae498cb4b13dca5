"""Ray Serve: a deployment of replicas with one CPU each, which is the default.

They are behind one HTTP proxy, as "Performance Tuning" of its docs describes, without the
dashboard.
"""

import os
import sys

import numpy as np
import ray
from ray import serve
from ray.serve.config import HTTPOptions
from starlette.requests import Request

from benchmarks.peers.onnx_session import OnnxSession

WORKERS = int(os.environ["PEER_WORKERS"])


@serve.deployment(num_replicas=WORKERS)
class Digits:
    """Answers at any path."""

    def __init__(self) -> None:
        self._model = OnnxSession()

    async def __call__(self, request: Request) -> dict[str, object]:
        """Answer a batch of images."""
        images = (await request.json())["images"]
        scores = self._model.run(np.asarray(images, dtype=np.float32))
        return {"predictions": scores.argmax(axis=1).tolist(), "probabilities": scores.tolist()}


if __name__ == "__main__":
    ray.init(num_cpus=WORKERS, include_dashboard=False)
    serve.start(http_options=HTTPOptions(host="127.0.0.1", port=int(sys.argv[1])))
    serve.run(Digits.bind(), blocking=True)  # type: ignore[attr-defined]
