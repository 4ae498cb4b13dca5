"""What is learned from, and what is kept aside to choose the best epoch by."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data.datasets import Dataset
from train.errors import TrainError
from train.run_options import Options

Part = tuple[NDArray[Any], NDArray[Any]]
"""Images and their targets."""


def split(dataset: Dataset, options: Options) -> tuple[Part, Part]:
    """Training and validation part of the training set: random ones, fixed by the seed.

    Raises:
        TrainError: nothing is left to learn from, or a class has no image in a part.

    """
    order = np.random.default_rng(options.seed).permutation(len(dataset.x_train))
    held = max(1, round(len(order) * options.validation_split))
    if held >= len(order):
        raise TrainError(
            f"{len(order)} training images leave none to train on beside a validation part of"
            f" {options.validation_split:.0%}"
        )
    validation, training = order[:held], order[held:]
    x, y = dataset.x_train, dataset.y_train
    for part, labels in (
        ("training", y[training]),
        ("validation", y[validation]),
        ("test", dataset.y_test),
    ):
        _check_classes(part, labels, dataset)
    return (x[training], y[training]), (x[validation], y[validation])


def _check_classes(part: str, labels: NDArray[np.int64], dataset: Dataset) -> None:
    counts = np.bincount(labels, minlength=dataset.classes)
    missing = [dataset.labels[index] for index in np.flatnonzero(counts == 0)]
    if missing:
        shown = ", ".join(missing[:5]) + (" and others" if len(missing) > 5 else "")
        hint = "; a larger --validation-split has more" if part == "validation" else ""
        raise TrainError(
            f"{dataset.name}: none of the {len(labels)} {part} images is of class {shown}{hint}"
        )
