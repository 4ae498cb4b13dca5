"""Requests for a table in every protocol, by the names of columns or as one tensor."""

import csv
import io
import json
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from bundle.features import UNKNOWN, Feature
from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec
from serve.protocols import mlflow, oip, predict, tfserving
from tests.reliability.documents import LENGTH, Document

_AGE = Feature(name="age", kind="number", limits=(0, 120))
FEATURES = (
    _AGE,
    Feature(name="job", kind="category", values=("admin", 'a "nurse", [x]', "{Öl}\\")),
    Feature(name="paid", kind="boolean", accepts_missing=True),
    replace(_AGE, name="height [m]", limits=None, accepts_missing=True),
    Feature(
        name="city", kind="category", values=("Bonn", "Ulm"), accepts_missing=True,
        accepts_unknown=True,
    ),
)  # fmt: skip
SPEC = TableSpec(name="features", dtype="float32", shape=(-1, len(FEATURES)), features=FEATURES)
NUMBERS = replace(
    SPEC,
    shape=(-1, 4),
    features=tuple(replace(_AGE, name=name, limits=None) for name in ("a", "b", "c", "d")),
)
_SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 2))
TABLES = [ModelSpec("m", 1, (spec,), (_SCORES,)) for spec in (SPEC, NUMBERS)]
PROTOCOLS = (predict, tfserving, mlflow, oip)
_DATATYPES = {"category": "BYTES", "boolean": "BOOL"}

Rows = list[list[Any]]


def valid(random: Random, spec: TableSpec, protocol: Any) -> Document:
    """Make a document that is a proper request."""
    rows = [
        [_cell(random, feature) for feature in spec.features] for _ in range(random.randint(1, 4))
    ]
    if protocol is not predict and random.random() < 0.3:
        return _tensor(random, spec, protocol, rows)
    order = random.sample(range(len(spec.names)), len(spec.names))
    names = [spec.names[place] for place in order]
    shuffled = [[row[place] for place in order] for row in rows]
    if protocol is oip:
        return _features(random, spec, names, shuffled)
    records = [dict(zip(names, row, strict=True)) for row in shuffled]
    columns = {
        name: list(cells) for name, cells in zip(names, zip(*shuffled, strict=True), strict=True)
    }
    forms: list[Any] = [{"instances": records}, {"inputs": columns}]
    if protocol is predict:
        forms = [{"rows": records}, {"rows": rows}, {"columns": names, "rows": shuffled}]
        forms += [{"columns": spec.names, "rows": rows}]
    elif protocol is mlflow:
        forms += [{"dataframe_records": records}]
        forms += [{"dataframe_split": {"columns": names, "data": shuffled}}] * 2
        if random.random() < 0.3:
            return _csv(names, shuffled)
    return Document(protocol, _dumps(random, random.choice(forms)))


def _cell(random: Random, feature: Feature) -> Any:
    if feature.accepts_missing and random.random() < 0.3:
        return None
    if feature.kind == "boolean":
        return random.random() < 0.5
    if feature.kind == "category":
        unknown = feature.accepts_unknown and random.random() < 0.3
        return "Wien" if unknown else random.choice(feature.values)
    return random.choice([0, 120, 39, 0.1, random.uniform(0, 120), random.randint(0, 120)])


def _code(cell: Any, feature: Feature) -> float | None:
    if feature.kind != "category" or cell is None:
        return cell if cell is None else float(cell)
    return float(feature.values.index(cell)) if cell in feature.values else UNKNOWN


def _dumps(random: Random, document: Any) -> bytes:
    spaces = random.choice([None, (",", ":"), (" , ", "\t:\n")])
    ascii_alone = random.random() < 0.5
    return json.dumps(document, separators=spaces, ensure_ascii=ascii_alone).encode()


def _tensor(random: Random, spec: TableSpec, protocol: Any, rows: Rows) -> Document:
    codes = [[_code(*pair) for pair in zip(row, spec.features, strict=True)] for row in rows]
    if protocol is oip:
        tensor: dict[str, Any] = {"name": spec.name, "datatype": "FP32"}
        tensor["shape"] = [len(rows), len(spec.features)]
        return _oip(random, [(tensor, codes, np.array(codes, np.float32))])
    forms: list[Any] = [{"instances": codes}, {"inputs": codes}, {"inputs": {spec.name: codes}}]
    forms += [{"instances": [{spec.name: row} for row in codes]}]
    return Document(protocol, _dumps(random, random.choice(forms)))


def _features(random: Random, spec: TableSpec, names: list[str], rows: Rows) -> Document:
    tensors = []
    for name, cells in zip(names, map(list, zip(*rows, strict=True)), strict=True):
        kind = spec.features[spec.positions[name]].kind
        tensor = {"name": name, "datatype": _DATATYPES.get(kind, "FP64")}
        tensor["shape"] = random.choice([[len(cells)], [len(cells), 1]])
        dtype = {"number": float, "category": object, "boolean": bool}[kind]
        array = None if kind != "number" and None in cells else np.array(cells, dtype)
        nested = len(tensor["shape"]) == 2 and random.random() < 0.5
        tensors.append((tensor, [[cell] for cell in cells] if nested else cells, array))
    return _oip(random, tensors)


def _oip(random: Random, tensors: list[tuple[dict[str, Any], Any, Any]]) -> Document:
    described, parts = [], []
    for tensor, values, array in tensors:
        if array is not None and random.random() < 0.5:
            parts.append(_bytes(array))
            described.append(tensor | {"parameters": {"binary_data_size": len(parts[-1])}})
        else:
            described.append(tensor | {"data": values})
    head = _dumps(random, {"inputs": described})
    return Document(oip, b"".join((head, *parts)), {LENGTH: str(len(head))} if parts else {})


def _bytes(array: Any) -> bytes:
    if array.dtype != object:
        return bytes(array.tobytes())
    texts = [text.encode() for text in array]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def _csv(names: list[str], rows: Rows) -> Document:
    text = io.StringIO()
    csv.writer(text).writerows([names, *rows])
    return Document(mlflow, text.getvalue().encode(), {"CONTENT_TYPE": "text/csv"})
