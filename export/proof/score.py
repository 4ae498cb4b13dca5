"""How good a model is on its test set: accuracy of a classification, RMSE of a regression."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import Manifest
from export.proof import runtime
from export.proof.runtime import Inputs


@dataclass(frozen=True)
class Score:
    """The metric by which two versions of a model are compared."""

    metric: str
    """Its name in manifests and in MLflow."""
    title: str
    """What messages call it."""
    show: Callable[[float], str]
    loss: Callable[[float, float], float]
    """How much worse the second value is than the first, as a fraction; negative if better."""
    before: Callable[[float, float], float]
    """The first value again, from the second one and the loss."""
    loss_metric: str
    """What the loss by a quantization is called in manifests and in MLflow."""
    loss_unit: str
    """What hundredths of a loss are."""

    def show_loss(self, loss: float) -> str:
        """Show a loss with its unit."""
        return f"{100 * loss:.2f} {self.loss_unit}"

    def quantization_loss(self, manifest: Manifest) -> float | None:
        """How much worse quantization made a model; None if it is not quantized."""
        cost = manifest.quantization
        loss: float | None = getattr(cost, self.loss_metric) if cost else None
        return loss


def _rmse_increase(before: float, after: float) -> float:
    if before == 0:
        return 0.0 if after == 0 else math.inf
    return after / before - 1


ACCURACY = Score(
    metric="test_accuracy",
    title="accuracy",
    show="{:.2%}".format,
    loss=lambda before, after: before - after,
    before=lambda after, loss: after + loss,
    loss_metric="accuracy_loss",
    loss_unit="points",
)
RMSE = Score(
    metric="test_rmse",
    title="RMSE",
    show="{:.4g}".format,
    loss=_rmse_increase,
    before=lambda after, loss: after / (1 + loss),
    loss_metric="rmse_increase",
    loss_unit="%",
)


def of_task(task: str | None) -> Score:
    """The score of a task; a manifest without a task has at most an accuracy."""
    return RMSE if task == "regression" else ACCURACY


def measure(task: str, onnx_file: Path, inputs: Inputs, y_test: NDArray[Any]) -> dict[str, float]:
    """Compute metrics of a model's first output on its test set.

    Returns:
        ``test_accuracy``, the share of the rows, 0 to 1, for which the output is largest at the
        true class; of a regression ``test_rmse``, ``test_mae`` and ``test_r2``.

    """
    output = runtime.predict(onnx_file, inputs)[0]
    if task != "regression":
        return {ACCURACY.metric: float((output.argmax(axis=1) == y_test).mean())}
    truth = y_test.astype(np.float64)
    error = output[:, 0] - truth
    squared, variance = float((error**2).mean()), float(truth.var())
    return {
        RMSE.metric: math.sqrt(squared),
        "test_mae": float(np.abs(error).mean()),
        "test_r2": 1 - squared / variance if variance else 0.0,
    }
