"""BentoML: a service that takes a numpy array, with two workers, as "Workers" in its docs says."""

from typing import Annotated

import bentoml
import numpy as np
from bentoml.validators import DType, Shape

from benchmarks.peers.onnx_session import Graph

Images = Annotated[np.ndarray, DType("float32"), Shape((-1, 784))]


@bentoml.service(workers=2, metrics={"enabled": False})
class Digits:
    """Answers at ``/predict``."""

    def __init__(self) -> None:
        self._graph = Graph()

    @bentoml.api
    def predict(self, images: Images) -> dict[str, list]:  # type: ignore[type-arg]
        """Answer a batch of images."""
        scores = self._graph.run(images)
        return {"predictions": scores.argmax(axis=1).tolist(), "probabilities": scores.tolist()}
