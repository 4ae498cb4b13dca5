"""Checks the values of a table, and says what is wrong with one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import UNKNOWN, Feature
from serve.errors import BadRequest, quoted
from serve.models.table_spec import TableSpec

_LONGEST_LIST = 200  # characters of a vocabulary


def check(array: NDArray[Any], batch: NDArray[Any], spec: TableSpec) -> None:
    """Refuse numbers and codes that a feature does not accept.

    Args:
        array: what the client sent, of shape (N, features).
        batch: the same as float32.
        spec: of the input.

    Raises:
        BadRequest: a value is not accepted; the message names its row and feature.

    """
    found = first_invalid(batch, spec)
    if found:
        row, column = found
        feature, value = spec.features[column], array[row, column].item()
        raise BadRequest(f"row {row}, {feature.name}: expected {_number(feature)}, got {value:g}")


def first_invalid(batch: NDArray[Any], spec: TableSpec) -> tuple[int, int] | None:
    """Row and column of the first value that is not accepted; None if all are."""
    valid = spec.valid(batch)
    if valid.all():
        return None
    row, column = np.argwhere(~valid)[0].tolist()
    return row, column


def refusal(cell: Any, kind: str, feature: Feature) -> str:
    """What a feature expects, and what came.

    Args:
        cell: a value that the feature does not accept, as the client sent it.
        kind: its type, in the terms of JSON.
        feature: that it is for.

    """
    got = quoted(cell) if isinstance(cell, str) else kind
    if feature.kind == "boolean":
        return f"expected true or false, got {got}"
    if feature.kind == "category":
        expected = _vocabulary(feature) if isinstance(cell, str) else "a string"
        return f"expected {expected}, got {got}"
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return f"expected {_number(feature)}, got {cell:g}"
    return f"expected a number, got {got}"


def _number(feature: Feature) -> str:
    """The numbers or codes that a feature accepts."""
    if feature.kind == "boolean":
        return "0 or 1"
    if feature.kind == "category":
        lowest = UNKNOWN if feature.accepts_unknown else 0
        return f"a code from {lowest:g} to {len(feature.values) - 1}"
    low, high = feature.limits or (None, None)
    if low is not None and high is not None:
        return f"a number from {low:g} to {high:g}"
    if low is not None or high is not None:
        return f"a number of at least {low:g}" if high is None else f"a number of at most {high:g}"
    return "a finite float32"


def _vocabulary(feature: Feature) -> str:
    """The texts of a category, or the first of them."""
    listed = ""
    for count, text in enumerate(map(quoted, feature.values)):
        if count and len(listed) + len(text) > _LONGEST_LIST:
            return f"one of {listed}… ({len(feature.values)} in all)"
        listed += f"{text}, "
    return f"one of {listed.removesuffix(', ')}"
