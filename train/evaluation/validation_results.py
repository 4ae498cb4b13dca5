"""The result for each validation row, by which two runs can be compared."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking import artifacts
from train.data.dataset import Dataset
from train.evaluation import task_metrics


def log(dataset: Dataset, truth: NDArray[Any], predicted: NDArray[np.float32]) -> None:
    """Add the results to the active run.

    Args:
        dataset: of the rows.
        truth: class indices, or values, shape (N,).
        predicted: probabilities (N, classes), or values (N, 1).

    """
    classes = np.min_scalar_type(max(dataset.classes - 1, 0))
    answers = predicted.argmax(axis=1).astype(classes) if dataset.classes else predicted[:, 0]
    artifacts.log_arrays(
        artifacts.VALIDATION,
        truth=truth.astype(answers.dtype),
        predicted=answers,
        loss=task_metrics.losses(dataset, truth, predicted),
    )
