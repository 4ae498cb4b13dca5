"""BentoML: a service that takes a numpy array, with workers as "Workers" in its docs describes."""

import os
from typing import Annotated

import bentoml
import numpy as np
from bentoml.validators import DType, Shape

from benchmarks.peers.onnx_session import OnnxSession

Images = Annotated[np.ndarray, DType("float32"), Shape((-1, 784))]


@bentoml.service(workers=int(os.environ["PEER_WORKERS"]), metrics={"enabled": False})
class Digits:
    """Answers at ``/predict``."""

    def __init__(self) -> None:
        self._model = OnnxSession()

    @bentoml.api
    def predict(self, images: Images) -> dict[str, list]:  # type: ignore[type-arg]
        """Answer a batch of images."""
        scores = self._model.run(images)
        return {"predictions": scores.argmax(axis=1).tolist(), "probabilities": scores.tolist()}
