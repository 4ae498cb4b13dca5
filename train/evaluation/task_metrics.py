"""Metrics of predictions, for each task."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.preprocessing import label_binarize

from train.data.dataset import Dataset

BINS = 15


def evaluate(
    dataset: Dataset, truth: NDArray[Any], predicted: NDArray[np.float32]
) -> dict[str, float]:
    """Compute the metrics of the task, by name.

    Args:
        dataset: of the rows.
        truth: class indices, or values, shape (N,).
        predicted: probabilities (N, classes), or values (N, 1).

    """
    if not dataset.classes:
        return _of_values(truth.astype(np.float64), predicted[:, 0].astype(np.float64))
    probabilities = predicted.astype(np.float64)
    return _of_classes(truth, probabilities / probabilities.sum(axis=1, keepdims=True))


def error(dataset: Dataset, truth: NDArray[Any], predicted: NDArray[np.float32]) -> float:
    """Log loss of probabilities, or RMSE of values: the smaller, the better."""
    mean = float(np.mean(losses(dataset, truth, predicted)))
    return mean if dataset.classes else math.sqrt(mean)


def losses(
    dataset: Dataset, truth: NDArray[Any], predicted: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Log loss, or squared error, of each row: float32, shape (N,)."""
    if not dataset.classes:
        return np.asarray((predicted[:, 0] - truth) ** 2, np.float32)
    likely = predicted[np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.maximum(likely, np.finfo(np.float32).tiny)), np.float32)


def reliability(
    truth: NDArray[np.int64], probabilities: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Group predictions by their confidence, the highest probability.

    Returns:
        Mean confidence, accuracy, and number of rows of each of ``BINS`` equal ranges; 0 where a
        range has no rows.

    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = (np.bincount(bins, values, minlength=BINS) for values in (confidence, correct))
    mean, accuracy = (total / np.maximum(counts, 1) for total in sums)
    return mean, accuracy, counts


def calibration_error(truth: NDArray[np.int64], probabilities: NDArray[Any]) -> float:
    """Expected calibration error: how far confidence and accuracy are apart, on average."""
    confidence, accuracy, counts = reliability(truth, probabilities)
    return float((np.abs(confidence - accuracy) * counts).sum() / counts.sum())


def _of_classes(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> dict[str, float]:
    classes = np.arange(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    # Of the second of two classes; of more, of each against the rest, on average.
    binary = len(classes) == 2
    scores = probabilities[:, 1] if binary else probabilities
    relevant = truth if binary else label_binarize(truth, classes=classes)
    return {
        "loss": float(metrics.log_loss(truth, probabilities, labels=classes)),
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "f1": float(metrics.f1_score(truth, predicted, average="macro", labels=classes)),
        "auc": float(metrics.roc_auc_score(relevant, scores, average="macro")),
        "average_precision": float(
            metrics.average_precision_score(relevant, scores, average="macro")
        ),
        "ece": calibration_error(truth, probabilities),
    }


def _of_values(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    return {
        "loss": float(metrics.mean_squared_error(truth, predicted)),
        "mae": float(metrics.mean_absolute_error(truth, predicted)),
        "rmse": float(metrics.root_mean_squared_error(truth, predicted)),
        "r2": float(metrics.r2_score(truth, predicted)),
    }
