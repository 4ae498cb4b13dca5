"""Edge inputs: valid rows that no test set contains, from what each column of the input accepts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from bundle.features import UNKNOWN, Feature

DEFAULT_RANGE = (0.0, 1.0)  # where the model declares none
_RANDOM_ROWS = 256
_MOST_SINGLE = 1000  # rows with one column that differs from the rest
_MOST_VALUES = 10_000  # of a column
_SPECIAL_SHARE = 0.1  # of the values of a random row, where a column accepts special ones
_SEED = 0


@dataclass(frozen=True)
class Column:
    """The values that one column of the input accepts."""

    low: float
    high: float
    whole: bool = False
    """Are they whole numbers, as codes are?"""
    special: tuple[float, ...] = ()
    """Further values: missing, or an unknown category."""

    @property
    def values(self) -> tuple[float, ...]:
        """The lowest and the highest value, or all whole numbers; and the special ones."""
        count = min(int(self.high - self.low) + 1, _MOST_VALUES) if self.whole else 2
        plain = np.linspace(self.low, self.high, count)
        return (*(np.rint(plain) if self.whole else plain), *self.special)

    @property
    def middle(self) -> float:
        """Half way between the lowest and the highest value."""
        middle = (self.low + self.high) / 2
        return float(np.rint(middle)) if self.whole else middle


def of_range(features: int, value_range: tuple[float, float] | None) -> list[Column]:
    """Columns of an image: all have the same range."""
    return [Column(*(value_range or DEFAULT_RANGE))] * features


def of_table(features: Sequence[Feature]) -> list[Column]:
    """Columns of a table."""
    return [_column(feature) for feature in features]


def _column(feature: Feature) -> Column:
    special = (UNKNOWN,) * feature.accepts_unknown + (math.nan,) * feature.accepts_missing
    if feature.kind != "number":
        highest = 1 if feature.kind == "boolean" else len(feature.values) - 1
        return Column(0, highest, True, special)
    low, high = np.clip(feature.range or DEFAULT_RANGE, *_limits(feature))
    return Column(float(low), float(high), False, special)


def _limits(feature: Feature) -> tuple[float, float]:
    low, high = feature.limits or (None, None)
    return (-math.inf if low is None else low, math.inf if high is None else high)


def rows(columns: Sequence[Column]) -> NDArray[np.float32]:
    """Make the edge inputs, shape (N, columns).

    - Each column runs through its values, all at the same time; then all at their middle.
    - All columns are at their first value, and one at another one: 1,000 rows at most.
    - Random rows.
    """
    longest = max(len(column.values) for column in columns)
    levels = np.array([np.resize(column.values, longest) for column in columns]).T
    middle = [[column.middle for column in columns]]
    random = np.random.default_rng(_SEED)
    drawn = np.array([_drawn(random, column) for column in columns]).T
    return np.vstack([levels, middle, _single(columns), drawn]).astype(np.float32)


def _single(columns: Sequence[Column]) -> NDArray[np.float64]:
    """Second values of all columns first, then third ones, and so on."""
    others = zip_longest(*(column.values[1:] for column in columns))
    places = [
        (index, value)
        for values in others
        for index, value in enumerate(values)
        if value is not None
    ][:_MOST_SINGLE]
    made = np.tile([column.values[0] for column in columns], (len(places), 1))
    for row, (index, value) in zip(made, places, strict=True):
        row[index] = value
    return made


def _drawn(random: np.random.Generator, column: Column) -> NDArray[np.float64]:
    """Values of one column for the random rows."""
    values = random.uniform(column.low, column.high, _RANDOM_ROWS)
    if column.whole:
        values = random.integers(int(column.low), int(column.high) + 1, _RANDOM_ROWS).astype(float)
    if column.special:
        chosen = random.random(_RANDOM_ROWS) < _SPECIAL_SHARE
        values[chosen] = random.choice(column.special, chosen.sum())
    return values
