"""Read the data set that the options name, whatever its form."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli import class_names
from train.data import dataset, images, table
from train.data.dataset import Dataset
from train.data.table import Table
from train.data_options import TABLE_SETS, TABLE_SUFFIXES, DataOptions
from train.errors import TrainError
from train.reading import idx, image_folder, known_sets, mnist, npz, table_files

_TARGET = "target"  # the column of a table that was made of arrays


def read(options: DataOptions) -> Dataset:
    """Read the data that the options name.

    Raises:
        CommandError: they can't be read, or can't be used for training.

    """
    found = _read(options)
    if not found.is_table and (options.target or options.drop or options.id):
        raise TrainError(
            f"{found.name}: --target, --drop and --id name columns of a table, and these are images"
        )
    if options.class_names:
        return dataset.named(found, class_names.read(options.class_names), options.class_names)
    return found


def _read(options: DataOptions) -> Dataset:
    first = options.data[0]
    if Path(first).suffix in TABLE_SUFFIXES:
        return table.make(table_files.read(_tables(options.data)), options)
    if len(options.data) > 1:
        raise TrainError(
            f"--data {' '.join(options.data)}: only CSV and Parquet files can be read together"
        )
    if first == "mnist":
        return mnist.load(options.cache)
    if first == "digits":
        return known_sets.read_digits(options)
    if first in TABLE_SETS:
        return known_sets.read_table(first, options)
    return _of_path(Path(first), options)


def _tables(names: Sequence[str]) -> list[Path]:
    paths = list(map(Path, names))
    if others := [str(path) for path in paths if path.suffix not in TABLE_SUFFIXES]:
        raise TrainError(f"{', '.join(others)}: expected CSV or Parquet files only")
    return paths


def _of_path(path: Path, options: DataOptions) -> Dataset:
    if path.is_dir():
        return _of_folder(path, options)
    if path.suffix == ".npz":
        return _of_npz(path, npz.read(path), options)
    if not path.exists():
        raise TrainError(f"{path}: no such file or folder, and no known data set")
    raise TrainError(f"{path}: expected a CSV, Parquet or .npz file, or a folder")


def _of_folder(path: Path, options: DataOptions) -> Dataset:
    name = path.resolve().name
    if idx.is_folder(path):
        return images.make(name, idx.read_folder(path), path, options.task)
    if not image_folder.class_folders(path):
        raise TrainError(
            f"{path}: expected IDX files (train-images-idx3-ubyte, …), or a folder per class"
        )
    x, y, names = image_folder.read(path, options.size)
    return dataclasses.replace(images.make_split(name, x, y, options, path), class_names=names)


def _of_npz(path: Path, arrays: dict[str, NDArray[Any]], options: DataOptions) -> Dataset:
    names = arrays.pop(npz.NAMES, None)
    parts = tuple(arrays.values())
    if names is None and images.is_of_images(parts[0]):
        if len(parts) == len(npz.PARTS):
            return images.make(path.stem, parts, path, options.task)
        return images.make_split(path.stem, parts[0], parts[1], options, path)
    return table.make(_table(path, parts, names), options)


def _table(path: Path, parts: tuple[NDArray[Any], ...], names: NDArray[Any] | None) -> Table:
    """The table of two or four arrays, with a column for the target."""
    if any(x.ndim != 2 for x in parts[::2]) or len({x.shape[1] for x in parts[::2]}) > 1:
        shapes = " and ".join(str(x.shape) for x in parts[::2])
        raise TrainError(f"{path}: expected features of shape (N, features), got {shapes}")
    for x, y in zip(parts[::2], parts[1::2], strict=True):
        if y.shape not in ((len(x),), (len(x), 1)):
            raise TrainError(f"{path}: expected targets of shape ({len(x)},), got {y.shape}")
    x = np.concatenate(parts[::2])
    y = np.concatenate([part.reshape(-1, 1) for part in parts[1::2]])
    if names is None:
        names = np.array([f"x{number}" for number in range(x.shape[1])])
    columns = [*map(str, names.ravel()), _TARGET]
    if len(columns) != x.shape[1] + 1 or len(set(columns)) < len(columns):
        raise TrainError(f"{path}: expected {x.shape[1]} different {npz.NAMES}, none {_TARGET!r}")
    frame = pd.DataFrame(x, columns=columns[:-1]).assign(**{_TARGET: y[:, 0]})
    rows = len(parts[2]) if len(parts) > 2 else 0
    return Table(path.stem, frame, lambda row: f"row {row + 1}", _TARGET, rows, path)
