"""Data sets of grey images: checked, with the range of their pixels found from the data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data.dataset import MAX_CLASSES, Dataset, digest
from train.data.split import hold_out
from train.data_options import DataOptions
from train.errors import TrainError

Arrays = tuple[NDArray[Any], ...]
MNIST_SIDE = 28
_HIGHEST = (1.0, 16.0, 255.0)  # of a pixel: fractions, scikit-learn's digits, bytes


def make(name: str, arrays: Arrays, source: Path | None = None, task: str | None = None) -> Dataset:
    """Check four arrays (training images and targets, test images and targets) and join them.

    Images have the shape (N, rows, columns), (N, rows, columns, 1) or (N, 784); targets are class
    indices, or numbers for regression.

    Raises:
        TrainError: a shape, dtype or value is invalid.

    """
    task = task or "classification"
    x_train, y_train, x_test, y_test = arrays
    images = [
        _images(f"{name}: {part} images", array)
        for part, array in (("training", x_train), ("test", x_test))
    ]
    shape = images[0].shape[1:]
    if images[1].shape[1:] != shape:
        raise TrainError(
            f"{name}: training images have the shape {shape}, test images {images[1].shape[1:]}"
        )
    read: Callable[[str, NDArray[Any], int], NDArray[Any]] = (
        _classes if task == "classification" else _values
    )
    targets = [
        read(f"{name}: {part} targets", array, len(rows))
        for part, array, rows in zip(("training", "test"), (y_train, y_test), images, strict=True)
    ]
    x_train, x_test = (one.reshape(len(one), -1).astype(np.float32) for one in images)
    return Dataset(
        name=name,
        task=task,
        x_train=x_train,
        y_train=targets[0],
        x_test=x_test,
        y_test=targets[1],
        sha256=digest(arrays),
        class_names=_class_names(name, targets) if task == "classification" else (),
        shape=shape,
        range=(0.0, _highest(name, x_train, x_test)),
        source=source,
    )


def make_split(
    name: str, x: NDArray[Any], y: NDArray[Any], options: DataOptions, source: Path | None = None
) -> Dataset:
    """The same for images without a test part, which is split off at random."""
    is_regression = options.task == "regression"
    (_values if is_regression else _classes)(f"{name}: targets", y, len(x))
    classes = None if is_regression else y
    kept, held = hold_out(
        f"{name}: test", len(x), options.test_split, options.split_seed, classes=classes
    )
    return make(name, (x[kept], y[kept], x[held], y[held]), source, options.task)


def is_of_images(array: NDArray[Any]) -> bool:
    """Whether the shape of an array is that of images, not of a table."""
    return array.ndim > 2 or array.shape[1:] == (MNIST_SIDE**2,)


def _images(what: str, array: NDArray[Any]) -> NDArray[Any]:
    """Check images, and give them the shape (N, rows, columns)."""
    if array.shape[1:] == (MNIST_SIDE**2,):
        array = array.reshape(len(array), MNIST_SIDE, MNIST_SIDE)
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3 or not array.size:
        raise TrainError(
            f"{what}: expected grey images of shape (N, rows, columns) or (N, {MNIST_SIDE**2}),"
            f" got {array.shape}"
        )
    if array.dtype.kind not in "uif":
        raise TrainError(f"{what}: expected numbers, got {array.dtype}")
    low, high = float(array.min()), float(array.max())
    if np.isnan(low):
        row = int(np.flatnonzero(np.isnan(array).any(axis=(1, 2)))[0])
        raise TrainError(f"{what}: image {row} has a pixel that is not a number (NaN)")
    if not (low >= 0 and high <= _HIGHEST[-1]):
        raise TrainError(f"{what}: expected pixels from 0 to 255, got {low:g} to {high:g}")
    return array


def _highest(name: str, *parts: NDArray[np.float32]) -> float:
    """The highest value that a pixel can have, which is the same in both parts."""
    train, test = (min(top for top in _HIGHEST if part.max() <= top) for part in parts)
    if train != test:
        raise TrainError(
            f"{name}: pixels run to {parts[0].max():g} in training images, but to"
            f" {parts[1].max():g} in test images; expected the same range in both"
        )
    return train


def _classes(what: str, array: NDArray[Any], rows: int) -> NDArray[np.int64]:
    _check_length(what, array, rows)
    if array.dtype.kind not in "ui" or int(array.min()) < 0:
        raise TrainError(f"{what}: expected class indices 0, 1, 2, … as integers")
    return array.astype(np.int64)


def _values(what: str, array: NDArray[Any], rows: int) -> NDArray[np.float32]:
    _check_length(what, array, rows)
    if array.dtype.kind not in "uif" or not np.isfinite(array.astype(np.float32)).all():
        raise TrainError(f"{what}: expected finite numbers")
    return array.astype(np.float32)


def _check_length(what: str, array: NDArray[Any], rows: int) -> None:
    if array.shape != (rows,):
        raise TrainError(f"{what}: expected shape ({rows},), one per image, got {array.shape}")


def _class_names(name: str, targets: list[NDArray[Any]]) -> tuple[str, ...]:
    classes = int(max(part.max() for part in targets)) + 1
    if classes > MAX_CLASSES:
        raise TrainError(f"{name}: a target is {classes - 1}; expected less than {MAX_CLASSES}")
    return tuple(map(str, range(classes)))
