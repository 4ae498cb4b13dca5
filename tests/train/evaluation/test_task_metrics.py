"""Metrics, worked out by hand."""

import math

import numpy as np
import pytest

from tests.train.training import made
from train.evaluation import task_metrics


def test_of_two_classes() -> None:
    truth = np.array([0, 0, 1, 1])
    positive = np.array([0.1, 0.6, 0.4, 0.9], np.float32)
    got = task_metrics.evaluate(made.of_table(), truth, np.stack([1 - positive, positive], 1))
    assert got == pytest.approx(
        {
            "loss": -(2 * math.log(0.9) + 2 * math.log(0.4)) / 4,
            "accuracy": 0.5,
            "f1": 0.5,
            "auc": 0.75,  # three of four pairs are in the right order
            "average_precision": (1 + 2 / 3) / 2,
            "ece": 0.5 * 0.6 + 0.5 * 0.1,  # sure by 0.6: all wrong; by 0.9: all right
        },
        rel=1e-5,
    )


def test_of_more_classes_each_counts_the_same() -> None:
    dataset = made.of_table(class_names=("a", "b", "c"))
    truth = np.array([0, 0, 0, 1, 2])
    probabilities = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1]] * 0.7 + 0.1
    got = task_metrics.evaluate(dataset, truth, probabilities)
    assert got["accuracy"] == pytest.approx(0.8)
    assert got["f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert got["auc"] == pytest.approx((1 + 7 / 8 + 1 / 2) / 3)
    assert got["ece"] == pytest.approx(0, abs=1e-6)  # sure by 0.8, and right in 0.8


def test_of_values() -> None:
    predicted = np.array([[2.0], [2.0], [5.0]], np.float32)
    got = task_metrics.evaluate(made.of_values(), np.array([1.0, 2.0, 3.0], np.float32), predicted)
    assert got == pytest.approx(
        {"loss": 5 / 3, "mae": 1.0, "rmse": math.sqrt(5 / 3), "r2": 1 - 5 / 2}, rel=1e-6
    )
