"""The target column of a table: classes, or numbers to predict."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from train.data import columns
from train.data.columns import Place
from train.data.dataset import MAX_CLASSES
from train.data_options import MOST_NUMBERED_CLASSES
from train.errors import TrainError


@dataclass(frozen=True)
class Target:
    """What is to be predicted."""

    task: str
    values: NDArray[Any]
    """Class indices as int64, or numbers as float32; shape (N,)."""
    class_names: tuple[str, ...]
    """In the order of the indices; empty for regression."""


def read(series: pd.Series, task: str | None, place: Place) -> Target:
    """Read the target, and find the task unless it is given.

    Raises:
        TrainError: a value is missing or no number, or there is a single class or value.

    """
    name = str(series.name)
    missing = np.flatnonzero(series.isna())
    if len(missing):
        raise TrainError(
            f"{place(int(missing[0]))}, column {name}: the target is missing (in {len(missing)} of"
            f" {len(series)} rows)"
        )
    column = columns.read(series, place)
    task = task or _task(column)
    distinct, indices = np.unique(column.values, return_inverse=True)
    if len(distinct) < 2:
        raise TrainError(f"target {name} is {distinct[0]} in every row")
    if task == "classification":
        if len(distinct) > MAX_CLASSES:
            raise TrainError(
                f"target {name} has {len(distinct)} classes; expected at most {MAX_CLASSES}"
            )
        names = tuple(_class_name(value, column.kind) for value in distinct)
        return Target(task, indices.astype(np.int64), names)
    if column.kind == "category":
        raise TrainError(f"target {name} has texts, and regression needs numbers")
    return Target(task, column.values.astype(np.float32), ())


def _task(column: columns.Column) -> str:
    if column.kind != "number":
        return "classification"
    distinct = np.unique(column.values)
    whole = bool((distinct == np.rint(distinct)).all())
    return "classification" if whole and len(distinct) <= MOST_NUMBERED_CLASSES else "regression"


def _class_name(value: Any, kind: str) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    return value if kind == "category" else f"{float(value):.9g}"
