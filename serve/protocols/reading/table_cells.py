"""Makes the batch of a table out of numbers, texts, truth values and None."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import UNKNOWN, Feature
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
    if spec.has_only_numbers and _are(itertools.chain.from_iterable(rows), "number"):
        batch = _float32(np.array(rows, np.float64))  # None becomes NaN
        _check(batch, lambda row, column: rows[row][column], spec, place)
        return batch
    return from_columns(list(zip(*rows, strict=True)), spec, place)


def from_columns(columns: Sequence[Cells], spec: TableSpec, place: str) -> NDArray[np.float32]:
    """As ``from_rows``, of columns in the order of the features."""
    parts = zip(columns, spec.features, spec.codes, strict=True)
    numbers = np.array([_numbers(*part) for part in parts], np.float64)
    batch = _float32(numbers.T)
    _check(batch, lambda row, column: columns[column][row], spec, place)
    return batch


def _are(cells: Iterable[Any], kind: str) -> bool:
    return set(map(type, cells)) <= _TYPES[kind]


def _numbers(cells: Cells, feature: Feature, codes: Mapping[Any, float]) -> Sequence[float | None]:
    """The number that stands for each cell, or ``_WRONG``."""
    if not _are(cells, feature.kind):
        types = _TYPES[feature.kind]
        cells = [cell if type(cell) in types else _WRONG for cell in cells]
    if feature.kind != "category":
        return cells
    # A cell that is no text has no code, and stays what it is.
    return [codes.get(cell, UNKNOWN) if isinstance(cell, str) else cell for cell in cells]


def _float32(numbers: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
        return np.ascontiguousarray(numbers, np.float32)


def _check(
    batch: NDArray[np.float32], cell_at: Callable[[int, int], Any], spec: TableSpec, place: str
) -> None:
    if found := table_values.first_invalid(batch, spec):
        cell, feature = cell_at(*found), spec.features[found[1]]
        where = place.format(row=found[0], name=feature.name)
        reason = table_values.refusal(cell, json_arrays.kind(cell), feature)
        raise BadRequest(f"{where}: {reason}")
