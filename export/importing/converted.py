"""A model in ONNX, and how close it is to what it was converted from."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray

from bundle.measurements import Parity
from export.errors import ExportError
from export.proof import parity, runtime

# Of a probability. scikit-learn computes in float64, ONNX in float32.
MAX_ABS_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class Converted:
    """The result of a conversion."""

    model: onnx.ModelProto
    task: str | None = None
    """One of ``bundle.manifest.TASKS``, if it is known."""
    class_names: tuple[str, ...] = ()
    parity: Parity | None = None
    """How close ONNX is to the model's own predictions."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Versions of the packages that converted it."""


def compare(
    model: onnx.ModelProto, x: NDArray[np.float32], expected: NDArray[np.floating], task: str
) -> Parity:
    """Compare the first output with the model's own predictions for the same rows.

    Args:
        model: with one input.
        x: rows.
        expected: predictions, shape (N, classes), or (N, 1) for a regression.
        task: one of ``bundle.manifest.TASKS``.

    Raises:
        ExportError: they differ.

    """
    (got, *_) = runtime.predict(model.SerializeToString(), {model.graph.input[0].name: x})
    if got.shape != expected.shape:
        raise ExportError(
            f"the ONNX model gives values of shape {list(got.shape)}, and the original"
            f" {list(expected.shape)}"
        )
    difference = parity.difference([expected], [got], classifies=task == "classification")
    found = parity.combine({"rows supplied": difference}, len(x))
    if task == "regression":
        scale = parity.scale(float(expected.std()), float(np.abs(expected).max()))
        found = dataclasses.replace(found, scale=scale)
    refuse_mismatch(found, MAX_ABS_DIFFERENCE)
    return found


def refuse_mismatch(found: Parity, limit: float) -> None:
    """Refuse a conversion that changed the predictions.

    Raises:
        ExportError: they differ by more than ``limit``.

    """
    if mismatch := parity.mismatch(found, limit):
        raise ExportError(f"the ONNX model does not match the original: {mismatch}")
