"""Make a data set of a table."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from train.data import columns, targets
from train.data.columns import Place
from train.data.dataset import Dataset, digest
from train.data.split import hold_out
from train.data.targets import Target
from train.data_options import DataOptions
from train.errors import TrainError

_UNNAMED = "Unnamed: "  # what pandas calls a column without a name


@dataclass(frozen=True)
class Table:
    """A table as it was read."""

    name: str
    frame: pd.DataFrame
    """With the numbers of the rows as index."""
    place: Place
    target: str | None = None
    """The column to predict, if it is known."""
    test_rows: int = 0
    """How many rows at the end are its test part; 0 if it has none."""
    source: Path | None = None


def make(table: Table, options: DataOptions) -> Dataset:
    """Split off the test part if there is none, and make numbers of all columns.

    Raises:
        TrainError: an option names no column, or the data are bad.

    """
    target_name = options.target or table.target
    if target_name is None:
        raise TrainError(
            f"{table.name}: which column is to be predicted? Give --target COLUMN;"
            f" {_known(table.frame)}"
        )
    _check_names(table.frame, (target_name, *options.drop, *options.id))
    try:
        target = targets.read(table.frame[target_name], options.task, table.place)
        groups = _groups(table.frame, options.id)
        training, test = _parts(table, options, target, groups)
        names = _feature_names(table.frame, (target_name, *options.drop, *options.id))
        read = [columns.read(table.frame[name], table.place) for name in names]
        accepts = options.unknown_categories == "accept"
        encoded = [columns.encode(one, training, accepts_unknown=accepts) for one in read]
    except TrainError as error:
        raise TrainError(f"{table.name}: {error}") from None
    features = tuple(feature for feature, _ in encoded)
    x = np.stack([values for _, values in encoded], axis=1)
    arrays = (x[training], target.values[training], x[test], target.values[test])
    described = [dataclasses.asdict(feature) for feature in features]
    return Dataset(
        name=table.name,
        task=target.task,
        x_train=arrays[0],
        y_train=arrays[1],
        x_test=arrays[2],
        y_test=arrays[3],
        sha256=digest(arrays, json.dumps([described, target.class_names, target_name])),
        class_names=target.class_names,
        features=features,
        source=table.source,
        groups=None if groups is None else groups[training],
    )


def _check_names(frame: pd.DataFrame, names: Iterable[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise TrainError(f"there is no column {name!r}; {_known(frame)}")


def _known(frame: pd.DataFrame) -> str:
    names = list(map(str, frame.columns))
    return f"columns are {', '.join(names[:30])}{' and others' if len(names) > 30 else ''}"


def _feature_names(frame: pd.DataFrame, others: Iterable[str]) -> list[str]:
    names = [name for name in frame.columns if name not in set(others)]
    if not names:
        raise TrainError("no column is left to predict from")
    for name in names:
        if str(name).startswith(_UNNAMED):
            raise TrainError(
                f"column {frame.columns.get_loc(name) + 1} has no name; if it only numbers the"
                f" rows, leave it out with --drop {name!r}"
            )
    return names


def _groups(frame: pd.DataFrame, names: tuple[str, ...]) -> NDArray[np.int64] | None:
    """The number of each row's group; None without ids."""
    if not names:
        return None
    groups: NDArray[np.int64] = frame.groupby(list(names), dropna=False).ngroup().to_numpy(np.int64)
    return groups


def _parts(
    table: Table, options: DataOptions, target: Target, groups: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The indices of training and test rows."""
    rows = np.arange(len(table.frame))
    if table.test_rows:
        return rows[: -table.test_rows], rows[-table.test_rows :]
    names = np.array(target.class_names)
    return hold_out(
        *("test", len(rows), options.test_split, options.split_seed),
        classes=names[target.values] if target.class_names else None,
        groups=groups,
    )
