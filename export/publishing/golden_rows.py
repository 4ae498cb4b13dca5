"""Which rows of the test set become golden inputs: few, that show what the model can answer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import Feature
from export.errors import ExportError

_QUANTILES = 10  # of the target of a regression
_MORE = 20  # rows for the sake of categories and missing values, at most


def golden_rows(
    rows: NDArray[Any], targets: NDArray[Any], task: str, features: Sequence[Feature]
) -> NDArray[Any]:
    """Choose golden inputs among the rows, shape (N, …).

    One row for each class, so that each output is the largest once, or rows that spread over the
    target's values. For tables, further rows with each category, both booleans, and a missing value
    of each feature, if there are any. A row that the server would refuse is left out.

    Raises:
        ExportError: the server would refuse all rows.

    """
    valid = _within_limits(rows, features)
    rows, targets = rows[valid], targets[valid]
    if not len(rows):
        raise ExportError("no row of the test set is within all --limits")
    if task == "regression":
        chosen = _spread(targets)
    else:
        _, first = np.unique(targets, return_index=True)
        chosen = np.sort(first).tolist()
    chosen += _showing_more(rows, chosen, features)
    return rows[chosen]


def _within_limits(rows: NDArray[Any], features: Sequence[Feature]) -> NDArray[np.bool_]:
    fine = np.ones(len(rows), bool)
    for values, feature in zip(rows.T, features, strict=False):
        low, high = feature.limits or (None, None)
        fine &= ~(values < (-math.inf if low is None else low))
        fine &= ~(values > (math.inf if high is None else high))
    return fine


def _spread(targets: NDArray[Any]) -> list[int]:
    """Places of rows whose targets are at equally spaced ranks."""
    ranks = np.linspace(0, len(targets) - 1, min(_QUANTILES, len(targets)))
    order = np.argsort(targets, kind="stable")
    return [int(order[round(rank)]) for rank in ranks]


def _showing_more(
    rows: NDArray[Any], chosen: Sequence[int], features: Sequence[Feature]
) -> list[int]:
    """Places of rows with a category, boolean or missing value that no row before them has."""
    seen = {shown for place in chosen for shown in _shown(rows[place], features)}
    more: list[int] = []
    for place, row in enumerate(rows):
        if len(more) == _MORE:
            break
        if new := _shown(row, features) - seen:
            more.append(place)
            seen |= new
    return more


def _shown(row: NDArray[Any], features: Sequence[Feature]) -> set[tuple[str, str]]:
    """The categories, booleans and missing values of a row, with the names of their features."""
    return {
        (feature.name, str(value))
        for feature, value in zip(features, row, strict=False)
        if feature.kind != "number" or math.isnan(value)
    }
