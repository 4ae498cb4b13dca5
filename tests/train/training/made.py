"""Small data sets of random numbers."""

import dataclasses
from typing import Any

import numpy as np

from bundle.features import Feature
from train.data import images
from train.data.dataset import Dataset

NUMBER = Feature(name="number", kind="number", range=(0, 9), accepts_missing=True)
CITY = Feature(name="city", kind="category", values=("a", "b", "c"), accepts_unknown=True)
FLAG = Feature(name="flag", kind="boolean", accepts_missing=True)
FULL = Feature(name="full", kind="number", range=(-1, 1))


def of_images(classes: int = 10) -> Dataset:
    """As many images of 28x28 bytes as classes, one of each."""
    x = np.random.default_rng(0).integers(0, 256, (classes, 28, 28))
    y = np.arange(classes)
    return images.make("made", (x, y, x, y))


def of_table(rows: int = 200, **changes: Any) -> Dataset:
    """A table with each kind of column; the class is that of the number."""
    rng = np.random.default_rng(0)
    x = np.stack(
        [
            rng.integers(0, 10, rows),
            rng.integers(-1, 3, rows),
            rng.integers(0, 2, rows),
            rng.normal(size=rows),
        ],
        axis=1,
    ).astype(np.float32)
    y = (x[:, 0] > 4).astype(np.int64)
    x[::10, 0] = np.nan
    x[::7, 2] = np.nan
    table = Dataset(
        name="made",
        task="classification",
        x_train=x,
        y_train=y,
        x_test=x[:50],
        y_test=y[:50],
        sha256="0" * 64,
        class_names=("low", "high"),
        features=(NUMBER, CITY, FLAG, FULL),
    )
    return dataclasses.replace(table, **changes)


def of_values(rows: int = 200) -> Dataset:
    """The same table with a target to be predicted."""
    table = of_table(rows)
    y = np.nan_to_num(table.x_train[:, 0], nan=5.0) * 1000 + 100 * table.x_train[:, 3]
    y = y.astype(np.float32)
    changes = {"y_train": y, "y_test": y[:50], "task": "regression", "class_names": ()}
    return dataclasses.replace(table, **changes)
