"""The rows of a table, read in the plainest way: by Python's own json and csv."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import UNKNOWN, Feature
from serve.models.table_spec import TableSpec
from serve.protocols import mlflow, oip, predict
from serve.protocols.open_inference import datatypes
from tests.reliability.documents import LENGTH, Document

_NAN = float("nan")


def read(document: Document, spec: TableSpec) -> NDArray[np.float32]:
    """The batch; of a document that is a proper request."""
    if document.protocol is oip:
        return _oip(document, spec)
    if document.protocol is mlflow and "csv" in document.headers.get("CONTENT_TYPE", ""):
        text = io.StringIO(document.body.decode("utf-8-sig"))
        (names,) = csv.reader([next(text)])
        lines = [*csv.reader(filter(str.strip, text))]
        if names != [spec.name]:
            return _rows(lines, names, spec, texts=True)
        return _tensor([[float(cell) for cell in line] for line in lines])
    loaded = _loads(document.body)
    if document.protocol is predict:
        return _table(loaded["rows"], loaded.get("columns", spec.names), spec)
    if split := loaded.get("dataframe_split"):
        return _table(split["data"], split["columns"], spec)
    rows = loaded.get("instances", loaded.get("dataframe_records"))
    return _table(rows, spec.names, spec, codes=True) if rows else _columns(loaded["inputs"], spec)


def _loads(text: bytes) -> Any:
    def first_of_each(pairs: Any) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, value in pairs:
            members.setdefault(key, value)
        return members

    return json.loads(text.decode(), object_pairs_hook=first_of_each)


def _table(
    rows: Any, names: Sequence[str], spec: TableSpec, codes: bool = False
) -> NDArray[np.float32]:
    if list(names) == [spec.name]:
        return _tensor([row[0] for row in rows])
    if isinstance(rows[0], dict):
        if list(rows[0]) == [spec.name]:
            return _tensor([row[spec.name] for row in rows])
        return _rows([[row[name] for name in spec.names] for row in rows], spec.names, spec)
    return _tensor(rows) if codes else _rows(rows, names, spec)


def _columns(columns: Any, spec: TableSpec) -> NDArray[np.float32]:
    if isinstance(columns, list) or list(columns) == [spec.name]:
        return _tensor(columns if isinstance(columns, list) else columns[spec.name])
    rows = zip(*(columns[name] for name in spec.names), strict=True)
    return _rows(list(rows), spec.names, spec)


def _tensor(rows: Any) -> NDArray[np.float32]:
    plain = [[_NAN if cell is None else float(cell) for cell in row] for row in rows]
    return np.array(plain, np.float64).astype(np.float32)


def _rows(
    rows: Sequence[Sequence[Any]], names: Sequence[str], spec: TableSpec, texts: bool = False
) -> NDArray[np.float32]:
    features = {feature.name: feature for feature in spec.features}
    ordered = [dict(zip(names, row, strict=True)) for row in rows]
    numbers = [
        [_number(row[name], features[name], texts) for name in spec.names] for row in ordered
    ]
    return np.array(numbers, np.float64).astype(np.float32)


def _number(cell: Any, feature: Feature, text: bool) -> float:
    if text and not (cell if feature.kind == "category" else cell.strip()):
        cell = None
    if cell is None:
        assert feature.accepts_missing
        return _NAN
    if feature.kind == "category":
        assert isinstance(cell, str)
        assert cell in feature.values or feature.accepts_unknown
        return feature.values.index(cell) if cell in feature.values else UNKNOWN
    if feature.kind == "boolean":
        cell = (
            {"true": True, "1": True, "false": False, "0": False}[cell.strip().lower()]
            if text
            else cell
        )
        assert isinstance(cell, bool)
        return float(cell)
    assert text or type(cell) in (int, float)
    low, high = feature.limits or (None, None)
    number = np.float32(float(cell))
    assert low is None or number >= low
    assert high is None or number <= high
    return float(cell)


def _oip(document: Document, spec: TableSpec) -> NDArray[np.float32]:
    length = int(document.headers.get(LENGTH, len(document.body)))
    loaded, rest = _loads(document.body[:length]), document.body[length:]
    columns = {}
    for tensor in loaded["inputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size")
        if size is None:
            columns[tensor["name"]] = _leaves(tensor["data"])
        elif tensor["datatype"] == "BYTES":
            columns[tensor["name"]] = _texts(rest[:size])
        else:
            dtype = np.dtype(datatypes.DTYPES[tensor["datatype"]]).newbyteorder("<")
            columns[tensor["name"]] = np.frombuffer(rest[:size], dtype).tolist()
        rest = rest[size or 0 :]
    if list(columns) == [spec.name]:
        width = len(spec.names)
        cells = columns[spec.name]
        return _tensor([cells[at : at + width] for at in range(0, len(cells), width)])
    rows = zip(*(columns[name] for name in spec.names), strict=True)
    return _rows([*rows], spec.names, spec)


def _texts(raw: bytes) -> list[str]:
    texts = []
    while raw:
        size = int.from_bytes(raw[:4], "little")
        texts.append(raw[4 : 4 + size].decode())
        raw = raw[4 + size :]
    return texts


def _leaves(value: Any) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    return [leaf for element in value for leaf in _leaves(element)]
