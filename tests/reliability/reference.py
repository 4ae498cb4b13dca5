"""The numbers of a request, read in the plainest way: by Python's own json and csv."""

import base64
import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.open_inference import datatypes
from tests.reliability import table_reference
from tests.reliability.documents import LENGTH, Document

_DTYPES = datatypes.DTYPES


def read(document: Document, model_spec: ModelSpec) -> dict[str, NDArray[Any]]:
    """The values of each input, in their order; of a document that is a proper request."""
    if model_spec.table:
        return {model_spec.table.name: table_reference.read(document, model_spec.table)}
    if document.protocol is oip:
        return _oip(document, model_spec)
    if document.protocol is mlflow and "csv" in document.headers.get("CONTENT_TYPE", ""):
        first, *lines = csv.reader(document.body.decode("utf-8-sig").split("\n"))
        rows = [[float(cell) for cell in line] for line in lines if line]
        return _columns(first, rows, model_spec)
    loaded = _loads(document.body)
    if document.protocol is predict:
        values = loaded["images"] if "images" in loaded else loaded["image"]
        return {model_spec.inputs[0].name: _cast(_leaves(values), model_spec.inputs[0])}
    if document.protocol is mlflow and "dataframe_split" in loaded:
        table = loaded["dataframe_split"]
        return _columns(table["columns"], table["data"], model_spec)
    if document.protocol is mlflow and "dataframe_records" in loaded:
        columns = list(loaded["dataframe_records"][0])
        rows = [[record[name] for name in columns] for record in loaded["dataframe_records"]]
        return _columns(columns, rows, model_spec)
    assert document.protocol in (tfserving, mlflow)
    return _table(loaded, model_spec)


def _loads(text: bytes) -> Any:
    return json.loads(text.decode(), object_pairs_hook=_first_of_each)


def _first_of_each(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Of equal keys the first counts, as simdjson has it."""
    members: dict[str, Any] = {}
    for key, value in pairs:
        members.setdefault(key, value)
    return members


def _table(loaded: Mapping[str, Any], model_spec: ModelSpec) -> dict[str, NDArray[Any]]:
    if "instances" in loaded:
        rows = loaded["instances"]
        by_name = isinstance(rows[0], dict)
        return {
            spec.name: _cast(_leaves([row[spec.name] if by_name else row for row in rows]), spec)
            for spec in model_spec.inputs
        }
    columns = loaded["inputs"]
    by_name = isinstance(columns, dict)
    return {
        spec.name: _cast(_leaves(columns[spec.name] if by_name else columns), spec)
        for spec in model_spec.inputs
    }


def _columns(
    names: list[Any], rows: list[list[Any]], model_spec: ModelSpec
) -> dict[str, NDArray[Any]]:
    if sorted(map(str, names)) != sorted(spec.name for spec in model_spec.inputs):
        return {model_spec.inputs[0].name: _cast(_leaves(rows), model_spec.inputs[0])}
    places = {str(name): place for place, name in enumerate(names)}
    return {
        spec.name: _cast(_leaves([row[places[spec.name]] for row in rows]), spec)
        for spec in model_spec.inputs
    }


def _oip(document: Document, model_spec: ModelSpec) -> dict[str, NDArray[Any]]:
    length = int(document.headers.get(LENGTH, len(document.body)))
    loaded, rest = _loads(document.body[:length]), document.body[length:]
    inputs = {}
    for tensor in loaded["inputs"]:
        spec = model_spec.by_name[tensor["name"]]
        dtype = np.dtype(_DTYPES[tensor["datatype"]])
        size = tensor.get("parameters", {}).get("binary_data_size")
        if size is None:
            declared = TensorSpec(name=spec.name, dtype=dtype.name, shape=spec.shape)
            values = _cast(_leaves(tensor["data"]), declared)
        else:
            values = np.frombuffer(rest[:size], dtype.newbyteorder("<"))
            rest = rest[size:]
        with np.errstate(invalid="ignore"):  # numpy warns of a signalling NaN
            inputs[spec.name] = values.astype(spec.dtype)
    return inputs


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        raw = base64.b64decode(value["b64"])
        yield from np.frombuffer(raw, np.dtype(value["dtype"]).newbyteorder("<")).tolist()
    elif isinstance(value, list):
        for element in value:
            yield from _leaves(element)
    else:
        yield value


def _cast(values: Iterable[Any], spec: TensorSpec) -> NDArray[Any]:
    kind = np.dtype(spec.dtype).kind
    plain = [float(value) if kind == "f" else value for value in values]
    if kind in "iu":
        plain = [int(value) for value in plain]
    assert kind != "b" or all(value in (0, 1) for value in plain)  # as CSV has them
    return np.array(plain, np.float64 if kind == "f" else spec.dtype).astype(spec.dtype)
