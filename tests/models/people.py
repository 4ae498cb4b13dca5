"""What the models of tests/models/tables.py take and answer."""

import numpy as np
from numpy.typing import NDArray

from bundle.features import Feature

PEOPLE = (
    Feature(name="age", kind="number", range=(17, 90), limits=(0, 120)),
    Feature(name="job", kind="category", values=("admin", "nurse", "other, [none]")),
    Feature(name="paid", kind="boolean", accepts_missing=True),
)
PRICES = (
    Feature(name="area", kind="number", range=(10, 500), limits=(0, None)),
    Feature(name="rooms", kind="number", range=(1, 9), accepts_missing=True),
    Feature(name="floor", kind="number", range=(-1, 30)),
    Feature(
        name="city", kind="category", values=("Bonn", "Ulm"), accepts_missing=True,
        accepts_unknown=True,
    ),
)  # fmt: skip
MISSING = 0.25
WEIGHTS = np.array([[0.01, -0.02], [0.5, -0.5], [-1, 1]], np.float32)
LABELS = ("no", "yes")
CLASSES = ("setosa", "versicolor", "virginica")
NAN = float("nan")
PEOPLE_ROWS = np.array([[39, 0, 1], [20, 1, 0], [65, 2, NAN]], np.float32)
PRICES_ROWS = np.array([[80, 3, 2, 0], [55.5, NAN, 0, 1], [120, 5, 1, NAN]], np.float32)


def probabilities(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """What people answers."""
    scores = np.exp(np.where(np.isnan(rows), np.float32(MISSING), rows) @ WEIGHTS)
    return np.asarray(scores / scores.sum(axis=1, keepdims=True), np.float32)


def values(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """What prices answers."""
    return np.where(np.isnan(rows), np.float32(MISSING), rows).sum(axis=1, keepdims=True)
