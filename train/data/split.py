"""Split the training set into a part for training and one for validation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data.datasets import Dataset
from train.errors import TrainError
from train.run_options import Options

Part = tuple[NDArray[Any], NDArray[Any]]
"""Images and their targets."""


def split(dataset: Dataset, options: Options) -> tuple[Part, Part]:
    """Split the training set at random, depending only on ``options.split_seed``.

    Raises:
        TrainError: nothing is left for training, or a class has no image in one of the parts.

    """
    order = np.random.default_rng(options.split_seed).permutation(len(dataset.x_train))
    size = max(1, round(len(order) * options.validation_split))
    if size >= len(order):
        raise TrainError(
            f"{len(order)} training images leave none for training after a validation part of"
            f" {options.validation_split:.0%}"
        )
    validation, training = order[:size], order[size:]
    x, y = dataset.x_train, dataset.y_train
    for part, targets in (
        ("training", y[training]),
        ("validation", y[validation]),
        ("test", dataset.y_test),
    ):
        _check_classes(part, targets, dataset)
    return (x[training], y[training]), (x[validation], y[validation])


def _check_classes(part: str, targets: NDArray[np.int64], dataset: Dataset) -> None:
    counts = np.bincount(targets, minlength=dataset.classes)
    missing = [dataset.class_names[index] for index in np.flatnonzero(counts == 0)]
    if missing:
        shown = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        hint = "; use a larger --validation-split" if part == "validation" else ""
        raise TrainError(
            f"{dataset.name}: none of the {len(targets)} {part} images is of class {shown}{hint}"
        )
