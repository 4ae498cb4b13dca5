"""A data set: what is learned from, and what is known of it."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import Feature
from train.errors import TrainError

MAX_CLASSES = 10_000  # a larger class index is a mistake


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Images or a table: rows of numbers, and a target for each."""

    name: str
    task: str
    """``classification`` or ``regression``."""
    x_train: NDArray[np.float32]
    """Shape (N, features): raw pixels, or the columns that ``features`` describe."""
    y_train: NDArray[Any]
    """Shape (N,): class indices from 0 as int64, or values as float32."""
    x_test: NDArray[np.float32]
    y_test: NDArray[Any]
    sha256: str
    """Of all values, and of what describes them."""
    class_names: tuple[str, ...]
    """Name of each class; empty for regression."""
    shape: tuple[int, ...] = ()
    """Rows and columns of an image; empty for a table."""
    range: tuple[float, float] | None = None
    """Lowest and highest value of a pixel; None for a table."""
    features: tuple[Feature, ...] = ()
    """The columns of a table; empty for images."""
    source: Path | None = None
    """Where it was read from."""
    groups: NDArray[np.int64] | None = None
    """Training rows with the same number belong together, and are never divided."""

    @property
    def classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.class_names)

    @property
    def is_table(self) -> bool:
        """Whether it is a table; else it is a set of images."""
        return not self.shape

    @property
    def rows_name(self) -> str:
        """What one of its rows is, in the plural."""
        return "rows" if self.is_table else "images"


def named(dataset: Dataset, names: tuple[str, ...], source: Path) -> Dataset:
    """Give the classes names, which were read from ``source``."""
    if dataset.task == "regression":
        raise TrainError(f"{source}: {dataset.name} has no classes to be named")
    if len(names) < dataset.classes:
        raise TrainError(
            f"{source}: {len(names)} names, but {dataset.name} has classes up to"
            f" {dataset.classes - 1}"
        )
    return dataclasses.replace(dataset, class_names=names)


def digests(arrays: tuple[NDArray[Any], ...]) -> tuple[str, ...]:
    """SHA-256 of each array's values in row-major order, without dtype and shape."""
    return tuple(hashlib.sha256(array.tobytes()).hexdigest() for array in arrays)


def digest(arrays: tuple[NDArray[Any], ...], description: str = "") -> str:
    """SHA-256 of the digests of the arrays and of a description."""
    return hashlib.sha256(("".join(digests(arrays)) + description).encode()).hexdigest()
