"""The figures that a run logs, by the task and the kind of its data."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tracking.metrics import PRIMARY
from train.data.dataset import Dataset
from train.evaluation import result_plots
from train.training.training_data import TrainingData


def draw(
    data: TrainingData,
    history: Mapping[str, Sequence[float]],
    kept_epoch: float,
    predicted: NDArray[np.float32],
) -> dict[str, Figure]:
    """Draw the figures of a run, by name.

    Args:
        data: with the validation part.
        history: metric name to its values after each epoch.
        kept_epoch: counted from 1.
        predicted: output of the network for the validation part, shape (N, classes) or (N, 1).

    """
    dataset, (x, truth) = data.dataset, data.validation_truth
    metric = PRIMARY[dataset.task]
    figures = {"learning_curves": result_plots.learning_curves(history, metric, kept_epoch)}
    if not dataset.classes:
        return figures | {"residuals": result_plots.residuals(truth, predicted[:, 0])}
    figures |= _of_classes(dataset, truth, predicted)
    if not dataset.is_table:
        figures["worst_mistakes"] = result_plots.worst_mistakes(dataset, x, truth, predicted)
    return figures


def _of_classes(
    dataset: Dataset, truth: NDArray[np.int64], predicted: NDArray[np.float32]
) -> dict[str, Figure]:
    return {
        "confusion_matrix": result_plots.confusion_matrix(
            truth, predicted.argmax(axis=1), dataset.class_names
        ),
        "reliability": result_plots.reliability(truth, predicted),
    }
