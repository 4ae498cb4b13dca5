"""The columns of a table: whether each is a number, a category or a boolean, found from its values.

As numbers they are what ``bundle/features.py`` says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bundle.features import UNKNOWN, Feature
from train.errors import TrainError

Place = Callable[[int], str]
"""Names a row, counted from 0, for messages."""
_MOSTLY = 0.8  # a column with more numbers than this is meant to be one of numbers
_MOST_CATEGORIES = 1000
_FLAGS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Column:
    """A column before the split."""

    name: str
    kind: str
    """As of a feature."""
    values: NDArray[np.float32] | NDArray[np.object_]
    """Shape (N,): numbers, or texts of a category; NaN where a value is missing."""

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where a value is missing."""
        return np.asarray(pd.isna(self.values))


def read(series: pd.Series, place: Place) -> Column:
    """Find the kind of a column, and convert its values.

    Raises:
        TrainError: a value is infinite or no number, or the column is neither number nor text.

    """
    name = str(series.name)
    if pd.api.types.is_bool_dtype(series.dtype):
        return Column(name, "boolean", _floats(series))
    if pd.api.types.is_numeric_dtype(series.dtype):
        return _number(name, _floats(series), place)
    present = series.dropna()
    if not present.map(lambda value: isinstance(value, str | bool)).all():
        raise TrainError(
            f"column {name} has values that are neither numbers nor texts ({series.dtype}); leave"
            f" it out with --drop {name!r}"
        )
    texts = present.astype(str).str.strip()
    if len(texts) and set(texts.str.lower()) <= _FLAGS.keys():
        flags = texts.str.lower().map(_FLAGS).reindex(series.index)
        return Column(name, "boolean", _floats(flags))
    numbers = pd.to_numeric(texts, errors="coerce")
    if not numbers.isna().any():
        return _number(name, _floats(numbers.reindex(series.index)), place)
    if numbers.notna().mean() > _MOSTLY:
        row = int(numbers.index[numbers.isna()][0])
        raise TrainError(
            f"{place(row)}, column {name}: expected a number, as in most rows, got {texts[row]!r}"
        )
    return Column(name, "category", texts.reindex(series.index).to_numpy(object))


def encode(
    column: Column, training: NDArray[np.int64], *, accepts_unknown: bool
) -> tuple[Feature, NDArray[np.float32]]:
    """Describe a column by its training rows, and make numbers of all its rows, shape (N,).

    Raises:
        TrainError: in the training rows, it is empty or constant, or has too many categories.

    """
    missing = column.missing[training]
    seen = column.values[training][~missing]
    distinct = np.unique(seen)
    drop = f"leave it out with --drop {column.name!r}"
    if not len(distinct):
        raise TrainError(f"column {column.name} is empty; {drop}")
    if len(distinct) == 1 and not missing.any():
        raise TrainError(f"column {column.name} is {distinct[0]} in every row; {drop}")
    if column.kind == "category" and len(distinct) > _most_categories(len(training)):
        raise TrainError(
            f"column {column.name} has {len(distinct)} different texts in {len(training)} rows, too"
            f" many for a category; {drop}"
        )
    try:
        feature = Feature(
            name=column.name,
            kind=column.kind,
            range=(float(distinct[0]), float(distinct[-1])) if column.kind == "number" else None,
            values=tuple(distinct) if column.kind == "category" else (),
            accepts_missing=bool(missing.any()),
            accepts_unknown=column.kind == "category" and accepts_unknown,
        )
    except ValueError as error:  # of a name or text that can't be printed
        raise TrainError(str(error)) from None
    if column.kind == "category":
        return feature, _codes(column, distinct)
    return feature, column.values.astype(np.float32)


def _most_categories(rows: int) -> int:
    """Texts of which every second one is new do not divide the rows into categories."""
    return min(_MOST_CATEGORIES, max(20, rows // 2))


def _codes(column: Column, vocabulary: NDArray[Any]) -> NDArray[np.float32]:
    index = {text: float(code) for code, text in enumerate(vocabulary)}
    codes = np.array([index.get(text, UNKNOWN) for text in column.values], np.float32)
    codes[column.missing] = np.nan
    return codes


def _number(name: str, values: NDArray[np.float32], place: Place) -> Column:
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise TrainError(
            f"{place(int(infinite[0]))}, column {name}: the number is infinite, or too large for"
            " float32"
        )
    return Column(name, "number", values)


def _floats(series: pd.Series) -> NDArray[np.float32]:
    wide: NDArray[np.float64] = series.to_numpy(np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):  # of what is too large, which is refused
        return wide.astype(np.float32)
