"""The rows of a table in CSV, by the names of its features."""

import csv
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import Feature
from serve.errors import BadRequest
from serve.models.table_spec import TableSpec
from serve.protocols.reading import table_cells, table_names

_MOST_COMMAS = 10_000  # in the texts of one line
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def check_commas(line: str, spec: TableSpec) -> None:
    """Refuse a line of very many cells: each would become an object of Python's own.

    Raises:
        BadRequest: there are too many.

    """
    if line.count(",") > len(spec.names) + _MOST_COMMAS:
        raise BadRequest(f"expected {len(spec.names)} values in each line, got very many")


def read(lines: Sequence[str], names: Sequence[str], spec: TableSpec) -> NDArray[np.float32]:
    """The batch, shape (N, features). An empty cell is a missing value.

    Args:
        lines: at least one, after the one that names the columns.
        names: of the columns.
        spec: of the input.

    Raises:
        BadRequest: the columns are not the features, or one does not accept a value.

    """
    table_names.check(names, spec, "the first line")
    for line in lines:
        check_commas(line, spec)
    rows = []
    try:
        for index, row in enumerate(csv.reader(lines, strict=True)):
            if len(row) != len(names):
                raise BadRequest(f"rows[{index}]: expected {len(names)} values, got {len(row)}")
            rows.append(row)
    except csv.Error as error:
        raise BadRequest(f"expected CSV: {error}") from None
    texts = dict(zip(names, zip(*rows, strict=True), strict=True))
    columns = [[_cell(text, feature) for text in texts[feature.name]] for feature in spec.features]
    return table_cells.from_columns(columns, spec, "rows[{row}].{name}")


def _cell(text: str, feature: Feature) -> Any:
    """What a text stands for; itself, where a number or truth value is expected and it is none."""
    if feature.kind == "category":
        return text if text or "" in feature.values else None
    text = text.strip()
    if not text:
        return None
    if feature.kind == "boolean":
        return _BOOLEANS.get(text.lower(), text)
    try:
        return float(text) if text.isascii() and "_" not in text else text
    except ValueError:
        return text
