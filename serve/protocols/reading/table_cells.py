"""Makes the batch of a table out of numbers, texts, truth values and None."""

import itertools
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import contains
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import UNKNOWN
from serve.errors import BadRequest
from serve.models.table_spec import TableSpec
from serve.protocols import table_values
from serve.protocols.reading import json_arrays

Cells = Sequence[Any]

_TYPES: Mapping[str, frozenset[type]] = {
    "number": frozenset((int, float, NoneType)),
    "category": frozenset((str, NoneType)),
    "boolean": frozenset((bool, NoneType)),
}
_WRONG = float("inf")  # which no feature accepts


def from_rows(rows: Sequence[Cells], spec: TableSpec, place: str) -> NDArray[np.float32]:
    """The batch, shape (N, features), of rows in the order of the features.

    Args:
        rows: at least one, with a cell for each feature.
        spec: of the input.
        place: of a cell in the document, such as ``rows[{row}].{name}``, for messages.

    Raises:
        BadRequest: a feature does not accept a cell; the message says which.

    """
    numbers = rows
    if not (spec.has_only_numbers and _are_numbers(rows)):
        types = [_TYPES[feature.kind] for feature in spec.features]
        numbers = [_numbers(row, types, spec) for row in rows]
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
        batch = np.array(numbers, np.float64).astype(np.float32)  # None becomes NaN
    if found := table_values.first_invalid(batch, spec):
        row, column = found
        feature, cell = spec.features[column], rows[row][column]
        reason = table_values.refusal(cell, json_arrays.kind(cell), feature)
        raise BadRequest(f"{place.format(row=row, name=feature.name)}: {reason}")
    return batch


def from_columns(columns: Sequence[Cells], spec: TableSpec, place: str) -> NDArray[np.float32]:
    """As ``from_rows``, of columns in the order of the features."""
    return from_rows(list(zip(*columns, strict=True)), spec, place)


def _are_numbers(rows: Sequence[Cells]) -> bool:
    return set(map(type, itertools.chain.from_iterable(rows))) <= _TYPES["number"]


def _numbers(
    row: Cells, types: Sequence[AbstractSet[type]], spec: TableSpec
) -> Sequence[float | None]:
    """The number that stands for each cell, or ``_WRONG``."""
    numbers = list(row)
    if not all(map(contains, types, map(type, row))):
        cells = zip(row, types, strict=True)
        numbers = [cell if type(cell) in known else _WRONG for cell, known in cells]
    for position, codes in spec.codes:
        if isinstance(numbers[position], str):
            numbers[position] = codes.get(numbers[position], UNKNOWN)
    return numbers
