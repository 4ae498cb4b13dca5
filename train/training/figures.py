"""The figures that a run logs, by the task and the kind of its data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tracking.metrics import PRIMARY
from train.data.dataset import Dataset
from train.training import result_plots


def draw(
    dataset: Dataset,
    history: Mapping[str, Sequence[float]],
    kept_epoch: float,
    predicted: NDArray[np.float32],
) -> dict[str, Figure]:
    """Draw the figures of a run, by name.

    Args:
        dataset: with the test set.
        history: metric name to its values after each epoch.
        kept_epoch: counted from 1.
        predicted: output of the network for the test set, shape (N, classes) or (N, 1).

    """
    metric = PRIMARY[dataset.task]
    figures = {"learning_curves": result_plots.learning_curves(history, metric, kept_epoch)}
    if not dataset.classes:
        return figures | {"residuals": result_plots.residuals(dataset.y_test, predicted[:, 0])}
    figures |= _of_classes(dataset, predicted)
    if not dataset.is_table:
        figures["worst_mistakes"] = result_plots.worst_mistakes(dataset, predicted)
    return figures


def _of_classes(dataset: Dataset, predicted: NDArray[Any]) -> dict[str, Figure]:
    truth = dataset.y_test
    return {
        "confusion_matrix": result_plots.confusion_matrix(
            truth, predicted.argmax(axis=1), dataset.class_names
        ),
        "reliability": result_plots.reliability(truth, predicted),
    }
