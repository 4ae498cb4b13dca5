"""Data sets of 28x28 images: read from files, and checked."""

import dataclasses
import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data import idx
from train.errors import TrainError

SIDE = 28
FEATURES = SIDE * SIDE
PIXEL_RANGE = (0.0, 255.0)
MAX_CLASSES = 10_000  # a larger class index is a mistake


@dataclass(frozen=True)
class Dataset:
    """Images as raw pixels 0..255, one row per image, and class indices from 0 as targets."""

    name: str
    x_train: NDArray[np.float32]
    """Shape (N, 784)."""
    y_train: NDArray[np.int64]
    """Shape (N,)."""
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    sha256: str
    """Of the digests of the four arrays, joined in the order x_train, y_train, x_test, y_test."""
    class_names: tuple[str, ...]
    """Name of each class; by default its index."""

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


def named(dataset: Dataset, names: tuple[str, ...], source: Path) -> Dataset:
    """Give the classes names, which were read from ``source``."""
    if len(names) < dataset.classes:
        raise TrainError(
            f"{source}: {len(names)} names, but {dataset.name} has classes up to"
            f" {dataset.classes - 1}"
        )
    return dataclasses.replace(dataset, class_names=names)


def digests(arrays: tuple[NDArray[Any], ...]) -> tuple[str, ...]:
    """SHA-256 of each array's values in row-major order, without dtype and shape."""
    return tuple(hashlib.sha256(array.tobytes()).hexdigest() for array in arrays)


def make(name: str, arrays: tuple[NDArray[Any], ...]) -> Dataset:
    """Check four arrays (training images and targets, test images and targets) and join them.

    Raises:
        TrainError: a shape, dtype or value is invalid.

    """
    x_train, y_train, x_test, y_test = arrays
    images = [
        _images(f"{name}: {part} images", array)
        for part, array in (("training", x_train), ("test", x_test))
    ]
    indices = [
        _targets(f"{name}: {part} targets", array, len(rows))
        for part, array, rows in zip(("training", "test"), (y_train, y_test), images, strict=True)
    ]
    classes = int(max(part.max() for part in indices)) + 1
    if classes > MAX_CLASSES:
        raise TrainError(f"{name}: a target is {classes - 1}; expected less than {MAX_CLASSES}")
    return Dataset(
        name=name,
        x_train=images[0],
        y_train=indices[0],
        x_test=images[1],
        y_test=indices[1],
        class_names=tuple(map(str, range(classes))),
        sha256=hashlib.sha256("".join(digests(arrays)).encode()).hexdigest(),
    )


def read(path: Path) -> Dataset:
    """Read an IDX folder, or an .npz with x_train, y_train, x_test and y_test."""
    if path.is_dir():
        return make(path.resolve().name, idx.read_folder(path))
    if path.suffix == ".npz":
        return make(path.stem, read_npz(path))
    if not path.exists():
        raise TrainError(f"{path}: no such file or folder")
    raise TrainError(f"{path}: expected a folder of IDX files, or an .npz file")


def read_npz(path: Path) -> tuple[NDArray[Any], ...]:
    """Read the four arrays in the layout of Keras's ``mnist.npz``, without unpickling."""
    try:
        # Opened here, because np.load does not close a damaged file.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return tuple(archive[key] for key in ("x_train", "y_train", "x_test", "y_test"))
    except KeyError as error:
        raise TrainError(f"{path}: has no array {error.args[0]}") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise TrainError(f"{path}: not a readable .npz: {error}") from None


def _images(what: str, array: NDArray[Any]) -> NDArray[np.float32]:
    if array.shape[1:] not in ((SIDE, SIDE), (FEATURES,), (SIDE, SIDE, 1)) or not len(array):
        raise TrainError(f"{what}: expected shape (N, 28, 28) or (N, 784), got {array.shape}")
    if array.dtype.kind not in "uif":
        raise TrainError(f"{what}: expected numbers, got {array.dtype}")
    low, high = float(array.min()), float(array.max())
    if np.isnan(low):
        row = int(np.flatnonzero(np.isnan(array.reshape(len(array), -1)).any(axis=1))[0])
        raise TrainError(f"{what}: image {row} has a pixel that is not a number (NaN)")
    if not (PIXEL_RANGE[0] <= low and high <= PIXEL_RANGE[1]):
        raise TrainError(f"{what}: expected pixels from 0 to 255, got {low:g} to {high:g}")
    if high <= 1:
        raise TrainError(
            f"{what}: values run from {low:g} to {high:g}; expected raw pixels 0..255"
            " (the model scales them itself)"
        )
    return array.reshape(len(array), FEATURES).astype(np.float32)


def _targets(what: str, array: NDArray[Any], rows: int) -> NDArray[np.int64]:
    if array.shape != (rows,):
        raise TrainError(f"{what}: expected shape ({rows},), one per image, got {array.shape}")
    if array.dtype.kind not in "ui" or int(array.min()) < 0:
        raise TrainError(f"{what}: expected class indices 0, 1, 2, … as integers")
    return array.astype(np.int64)
