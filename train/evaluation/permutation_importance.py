"""Permutation importance: how much worse a model gets when one column is shuffled.

See Breiman, "Random Forests" (2001), and Fisher, Rudin and Dominici (2019).
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from train.data.dataset import Dataset
from train.evaluation import task_metrics

REPEATS = 5
_MOST_ROWS = 1000  # more would take longer and change little


@dataclass(frozen=True)
class Importance:
    """The importance of one column."""

    feature: str
    mean: float
    """By how much the error grows."""
    deviation: float
    """Of the repeats."""


def measure(
    network: keras.Model, dataset: Dataset, x: NDArray[np.float32], truth: NDArray[Any]
) -> list[Importance]:
    """Measure the importance of each column of a table, the largest first.

    Args:
        network: trained.
        dataset: describes the columns.
        x: rows that it was not trained on, shape (N, features).
        truth: their targets.

    """
    x, truth = x[:_MOST_ROWS], truth[:_MOST_ROWS]
    base = task_metrics.error(dataset, truth, np.asarray(network(x, training=False)))
    rng = np.random.default_rng(0)
    found = []
    for column, feature in enumerate(dataset.features):
        shuffled = np.tile(x, (REPEATS, 1, 1))
        for repeat in shuffled:
            repeat[:, column] = rng.permutation(x[:, column])
        predicted = np.asarray(network(shuffled.reshape(-1, x.shape[1]), training=False))
        errors = [
            task_metrics.error(dataset, truth, part) - base for part in np.split(predicted, REPEATS)
        ]
        found.append(Importance(feature.name, float(np.mean(errors)), float(np.std(errors))))
    return sorted(found, key=lambda one: -one.mean)
