"""MLflow's scoring dialect, which SageMaker's containers share: ``POST /invocations``.

JSON with one of ``inputs``, ``instances``, ``dataframe_split`` and ``dataframe_records``, or CSV
whose first line names the columns. Source: mlflow.org/docs, "Inference Server Specification".
"""

import csv
import io
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import simdjson
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve import tensors
from serve.answer import Answer
from serve.errors import BadRequest, ServeError, UnknownType, quoted
from serve.protocols import json_arrays, json_document
from serve.protocols.dialect import Request, Tensors
from serve.protocols.json_arrays import Arrays
from serve.protocols.tables import Reader, in_columns
from serve.signature import Signature

_FORMS = ("inputs", "instances", "dataframe_split", "dataframe_records")
_CODES = (
    {400: "BAD_REQUEST", 401: "UNAUTHENTICATED", 404: "RESOURCE_DOES_NOT_EXIST"}
    | {413: "BAD_REQUEST", 429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE"}
    | {501: "NOT_IMPLEMENTED", 504: "DEADLINE_EXCEEDED"}
)


def parse(body: bytes, headers: Mapping[str, str], signature: Signature, max_rows: int) -> Request:
    """Make valid arrays of the bytes of a request; see ``Dialect.parse``."""
    content_type = headers.get("CONTENT_TYPE", "application/json")
    kind, _, parameters = (part.strip().lower() for part in content_type.partition(";"))
    if parameters.replace('"', "") not in ("", "charset=utf-8"):
        raise UnknownType(f"expected UTF-8 and no other parameter, got {quoted(parameters)}")
    if kind == "application/json":
        return json_document.read(body, signature, max_rows, _json)
    if kind == "text/csv":
        return _request(_csv(body, signature, max_rows))
    raise UnknownType(f"expected application/json or text/csv, got {quoted(kind)}")


def render(request: Request, outputs: Tensors, signature: Signature) -> Answer:
    """``{"predictions": …}``: the only output, or an object of output names to arrays."""
    answer = {"predictions": in_columns(outputs)}
    return Answer(200, orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY))


def refuse(error: ServeError) -> bytes:
    """``{"error_code": …, "message": …}``, with MLflow's own codes where it has one."""
    code = _CODES.get(error.status, "INTERNAL_ERROR" if error.status >= 500 else "BAD_REQUEST")
    return orjson.dumps({"error_code": code, "message": str(error)})


def _request(inputs: Tensors) -> Request:
    return Request(inputs, tensors.check_equal_rows(inputs))


def _json(arrays: Arrays, signature: Signature, max_rows: int) -> Request:
    document = json_arrays.parse(arrays.body)
    if not isinstance(document, simdjson.Object):
        raise BadRequest(
            f"expected an object with one of {', '.join(_FORMS)}; got {json_arrays.kind(document)}"
        )
    keys = set(document.keys())
    forms = [form for form in _FORMS if form in keys]
    if len(forms) != 1 or keys - {*forms, "params"}:
        got = f"{len(forms)} of them and {len(keys - {*forms, 'params'})} other keys"
        raise BadRequest(f"expected one of {', '.join(_FORMS)}, and params if any; got {got}")
    (form,) = forms
    element = document[form]
    reader = Reader(arrays, signature, max_rows)
    if form == "dataframe_split":
        return _request(_split(element, arrays, reader, signature, max_rows))
    if form == "dataframe_records":
        return _request(_records(element, reader, signature, max_rows))
    inputs = reader.columns(element, form) if form == "inputs" else reader.rows(element, form)
    reader.finish(inputs)
    return _request(inputs)


def _split(
    element: Any, arrays: Arrays, reader: Reader, signature: Signature, max_rows: int
) -> Tensors:
    """The inputs from ``{"columns": […], "index": […], "data": [[…], …]}``."""
    keys = set(element.keys()) if isinstance(element, simdjson.Object) else set()
    if not {"columns", "data"} <= keys:
        raise BadRequest("dataframe_split: expected an object with columns and data")
    columns, data = element["columns"], element["data"]
    if not (isinstance(columns, simdjson.Array) and isinstance(data, simdjson.Array)):
        raise BadRequest("dataframe_split: expected arrays as columns and data")
    tensors.check_rows(len(data), max_rows, signature)
    rows: list[Any] = list(data)
    for index, row in enumerate(rows):
        if not isinstance(row, simdjson.Array) or arrays.length(row) != len(columns):
            kind = json_arrays.kind(row)
            raise BadRequest(
                f"dataframe_split.data[{index}]: expected an array of {len(columns)}, as there are"
                f" columns; got {kind}"
            )
    names = [str(name) for name in columns]
    if _are_names(names, signature):
        cells = {name: [row[place] for row in rows] for place, name in enumerate(names)}
        inputs = reader.cells(cells, "dataframe_split.data")
    else:
        inputs = reader.columns(data, "dataframe_split.data")
    others = sum(isinstance(element[key], simdjson.Array) for key in keys - {"data"})
    reader.finish(inputs, elsewhere=others)
    return inputs


def _records(element: Any, reader: Reader, signature: Signature, max_rows: int) -> Tensors:
    """The inputs from ``[{column: value, …}, …]``."""
    if not isinstance(element, simdjson.Array):
        raise BadRequest(
            f"dataframe_records: expected an array of objects, got {json_arrays.kind(element)}"
        )
    tensors.check_rows(len(element), max_rows, signature)
    first: list[str] = list(element[0].keys()) if isinstance(element[0], simdjson.Object) else []
    if _are_names(first, signature):
        inputs = reader.rows(element, "dataframe_records")
        reader.finish(inputs)
        return inputs
    rows = []
    records: Any = element
    for index, record in enumerate(records):
        known = isinstance(record, simdjson.Object)
        if not known or set(record.keys()) != set(first) or len(record) != len(first):
            raise BadRequest(
                f"dataframe_records[{index}]: expected an object with the columns of the first"
            )
        rows.append([record[column] for column in first])
    dtype = signature.inputs[0].dtype
    kinds = {bool} if dtype == "bool" else {int, float}
    for index, row in enumerate(rows):
        if not set(map(type, row)) <= kinds:
            for value in row:
                json_arrays.check_values(value, (), f"dataframe_records[{index}]", dtype)
    return _matrix(first, np.array(rows), signature)


def _csv(body: bytes, signature: Signature, max_rows: int) -> Tensors:
    """The inputs from CSV whose first line names the columns."""
    try:
        first, _, rest = body.decode("utf-8-sig").partition("\n")
        columns = next(csv.reader([first.rstrip("\r")]), [])
    except (UnicodeDecodeError, csv.Error):
        raise BadRequest("expected CSV in UTF-8, with a first line that names columns") from None
    # One more row than allowed is as wrong as a million.
    lines = list(itertools.islice(filter(str.strip, io.StringIO(rest)), max_rows + 1))
    tensors.check_rows(len(lines), max_rows, signature)
    try:
        rows = np.loadtxt(lines, delimiter=",", comments=None, quotechar='"', ndmin=2)
    except ValueError:
        raise BadRequest(
            f"expected {len(columns)} numbers in each line after the first, which names the columns"
        ) from None
    if rows.shape[1] != len(columns):
        raise BadRequest(f"{len(columns)} columns are named, {rows.shape[1]} have values")
    return _matrix(columns, rows, signature)


def _are_names(columns: Sequence[str], signature: Signature) -> bool:
    """Is there a column for each input, and not one for each value of a single input?"""
    return sorted(columns) == sorted(spec.name for spec in signature.inputs)


def _matrix(columns: Sequence[str], rows: NDArray[Any], signature: Signature) -> Tensors:
    """The inputs from numbers: a column is an input, or a value of the only one."""
    if not _are_names(columns, signature):
        if len(signature.inputs) > 1:
            raise BadRequest(f"expected a column for each input: {', '.join(signature.by_name)}")
        (spec,) = signature.inputs
        return {spec.name: tensors.cast(_shaped(rows, spec), spec)}
    places = {name: place for place, name in enumerate(columns)}
    return {
        spec.name: tensors.cast(_shaped(rows[:, places[spec.name]], spec), spec)
        for spec in signature.inputs
    }


def _shaped(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    if array.ndim == 1 and spec.shape[1:] == (1,):
        array = array[:, np.newaxis]
    if not tensors.fits(array.shape, spec):
        raise BadRequest(
            f"{spec.name}: expected shape {list(spec.shape)}, where -1 is any size,"
            f" got {list(array.shape)}"
        )
    return array
