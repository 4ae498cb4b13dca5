"""MLflow's scoring protocol, also used by SageMaker: ``POST /invocations``.

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
from serve.errors import BadRequest, ServeError, UnknownType, quoted
from serve.models.spec import ModelSpec
from serve.protocols import tensors
from serve.protocols.interface import DecodedRequest, Tensors
from serve.protocols.reading import json_arrays, json_document, table_csv
from serve.protocols.reading.json_arrays import Arrays
from serve.protocols.reading.tabular_json import TableReader, in_columns
from serve.protocols.response import Response

_FORMS = ("inputs", "instances", "dataframe_split", "dataframe_records")
_FEW_BRACKETS = 1000
_CONTROLS = bytes({*range(32)} - {*b"\t\r\n"})
_CODES = (
    {400: "BAD_REQUEST", 401: "UNAUTHENTICATED", 404: "RESOURCE_DOES_NOT_EXIST"}
    | {413: "BAD_REQUEST", 429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE"}
    | {501: "NOT_IMPLEMENTED", 504: "DEADLINE_EXCEEDED"}
)


def parse(
    body: bytes, headers: Mapping[str, str], model_spec: ModelSpec, max_rows: int
) -> DecodedRequest:
    """See ``InferenceProtocol.parse``."""
    content_type = headers.get("CONTENT_TYPE", "application/json")
    kind, _, parameters = (part.strip().lower() for part in content_type.partition(";"))
    if parameters.replace('"', "") not in ("", "charset=utf-8"):
        raise UnknownType(f"expected UTF-8 and no other parameter, got {quoted(parameters)}")
    if kind == "application/json":
        return json_document.read(body, model_spec, max_rows, _json)
    if kind == "text/csv":
        return _request(_csv(body, model_spec, max_rows))
    raise UnknownType(f"expected application/json or text/csv, got {quoted(kind)}")


def render(request: DecodedRequest, outputs: Tensors, model_spec: ModelSpec) -> Response:
    """``{"predictions": …}``: the only output, or an object of output names to arrays."""
    response = {"predictions": in_columns(outputs)}
    return Response(200, orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY))


def refuse(error: ServeError) -> bytes:
    """``{"error_code": …, "message": …}``, with MLflow's own codes where it has one."""
    code = _CODES.get(error.status, "INTERNAL_ERROR" if error.status >= 500 else "BAD_REQUEST")
    return orjson.dumps({"error_code": code, "message": str(error)})


def _request(inputs: Tensors) -> DecodedRequest:
    return DecodedRequest(inputs, tensors.check_equal_rows(inputs))


def _json(arrays: Arrays, model_spec: ModelSpec, max_rows: int) -> DecodedRequest:
    document = json_arrays.parse(arrays.body)
    if not isinstance(document, simdjson.Object):
        raise BadRequest(
            f"expected an object with one of {', '.join(_FORMS)}; got {json_arrays.kind(document)}"
        )
    keys = json_arrays.keys(document)
    forms = [form for form in _FORMS if form in keys]
    if len(forms) != 1 or keys - {*forms, "params"}:
        got = f"{len(forms)} of them and {len(keys - {*forms, 'params'})} other keys"
        raise BadRequest(f"expected one of {', '.join(_FORMS)}, and params if any; got {got}")
    (form,) = forms
    element = document[form]
    reader = TableReader(arrays, model_spec, max_rows)
    if form == "dataframe_split":
        return _request(_split(element, arrays, reader, model_spec, max_rows))
    if form == "dataframe_records":
        return _request(_records(element, arrays.body, reader, model_spec, max_rows))
    inputs = reader.columns(element, form) if form == "inputs" else reader.rows(element, form)
    reader.finish(inputs)
    return _request(inputs)


def _split(
    element: Any, arrays: Arrays, reader: TableReader, model_spec: ModelSpec, max_rows: int
) -> Tensors:
    """The inputs from ``{"columns": […], "index": […], "data": [[…], …]}``."""
    keys = json_arrays.keys(element) if isinstance(element, simdjson.Object) else set()
    if not {"columns", "data"} <= keys:
        raise BadRequest("dataframe_split: expected an object with columns and data")
    columns, data = element["columns"], element["data"]
    if not (isinstance(columns, simdjson.Array) and isinstance(data, simdjson.Array)):
        raise BadRequest("dataframe_split: expected arrays as columns and data")
    others = sum(isinstance(element[key], simdjson.Array) for key in keys - {"data"})
    if reader.table and reader.table.is_named_in(columns):
        names = reader.table.names(columns, "dataframe_split.columns")
        return reader.table.rows(data, names, "dataframe_split.data", others)
    tensors.check_rows(len(data), max_rows, model_spec)
    rows: list[Any] = list(data)
    for index, row in enumerate(rows):
        if not isinstance(row, simdjson.Array) or arrays.length(row) != len(columns):
            kind = json_arrays.kind(row)
            raise BadRequest(
                f"dataframe_split.data[{index}]: expected an array of {len(columns)}, as there are"
                f" columns; got {kind}"
            )
    names = [str(name) for name in columns]
    if _are_names(names, model_spec):
        cells = {name: [row[place] for row in rows] for place, name in enumerate(names)}
        inputs = reader.cells(cells, "dataframe_split.data")
    else:
        inputs = reader.columns(data, "dataframe_split.data")
    reader.finish(inputs, elsewhere=others)
    return inputs


def _records(
    element: Any, body: bytes, reader: TableReader, model_spec: ModelSpec, max_rows: int
) -> Tensors:
    """The inputs from ``[{column: value, …}, …]``."""
    if not isinstance(element, simdjson.Array):
        raise BadRequest(
            f"dataframe_records: expected an array of objects, got {json_arrays.kind(element)}"
        )
    tensors.check_rows(len(element), max_rows, model_spec)
    first = element[0]
    if not isinstance(first, simdjson.Object):
        kind = json_arrays.kind(first)
        raise BadRequest(f"dataframe_records[0]: expected an object, got {kind}")
    if reader.table and reader.table.is_named_in(first):
        return reader.table.records(element, "dataframe_records")
    if json_arrays.keys(first) == model_spec.by_name.keys():
        inputs = reader.rows(element, "dataframe_records")
        reader.finish(inputs)
        return inputs
    spec = _only_input(model_spec)
    _check_shape((len(element), len(first)), spec)
    columns: list[str] = list(first.keys())
    _check_flat(body, len(element), columns)
    rows = [
        _values(record, columns, spec.dtype, f"dataframe_records[{index}]")
        for index, record in enumerate(element)
    ]
    return {spec.name: tensors.cast(np.array(rows), spec)}


def _check_flat(body: bytes, rows: int, columns: list[str]) -> None:
    """Refuse arrays and objects in many cells, before all are made Python's own objects.

    Fewer are found cell by cell. Names may have brackets in them, and so may ``params``.
    """
    in_names = sum(name.count("[") + name.count("{") for name in columns)
    expected = (rows + 1) * (in_names + 1)
    if body.count(b"[") + body.count(b"{") > expected + _FEW_BRACKETS:
        raise BadRequest("dataframe_records: expected numbers, got arrays or objects")


def _values(record: Any, columns: list[str], dtype: str, where: str) -> list[Any]:
    """The numbers of a record, in the order of ``columns``."""
    # All at once, for to look one up takes longer the further behind it is.
    known = isinstance(record, simdjson.Object) and len(record) == len(columns)
    values = dict(record.items()) if known else {}
    if len(values) != len(columns) or values.keys() != set(columns):
        raise BadRequest(f"{where}: expected an object with the columns of the first, each once")
    row = [values[column] for column in columns]
    if not set(map(type, row)) <= ({bool} if dtype == "bool" else {int, float}):
        for value in row:
            json_arrays.check_values(value, (), where, dtype)
    return row


def _csv(body: bytes, model_spec: ModelSpec, max_rows: int) -> Tensors:
    """The inputs from CSV whose first line names the columns."""
    if len(body.translate(None, _CONTROLS)) != len(body):  # numpy takes some for white space
        raise BadRequest("expected CSV in UTF-8, without control characters")
    try:
        first, _, rest = body.decode("utf-8-sig").partition("\n")
        if model_spec.table:
            table_csv.check_commas(first, model_spec.table)
        columns = next(csv.reader([first.rstrip("\r")], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        raise BadRequest("expected CSV in UTF-8, with a first line that names columns") from None
    # One more row than allowed is as wrong as a million.
    lines = list(itertools.islice(filter(str.strip, io.StringIO(rest)), max_rows + 1))
    tensors.check_rows(len(lines), max_rows, model_spec)
    table = model_spec.table
    if table and table.is_named_in(columns):
        return {table.name: table_csv.read(lines, columns, table)}
    try:
        rows = np.loadtxt(lines, delimiter=",", comments=None, quotechar='"', ndmin=2)
    except ValueError:
        raise BadRequest(
            f"expected {len(columns)} numbers in each line after the first, which names the columns"
        ) from None
    if rows.shape[1] != len(columns):
        raise BadRequest(f"{len(columns)} columns are named, {rows.shape[1]} have values")
    return _matrix(columns, rows, model_spec)


def _are_names(columns: Sequence[str], model_spec: ModelSpec) -> bool:
    """Is there a column for each input, and not one for each value of a single input?"""
    names = sorted(spec.name for spec in model_spec.inputs)
    return len(columns) == len(names) and sorted(columns) == names


def _only_input(model_spec: ModelSpec) -> TensorSpec:
    """The input of which each column is a value."""
    if len(model_spec.inputs) > 1:
        raise BadRequest(f"expected a column for each input: {', '.join(model_spec.by_name)}")
    return model_spec.inputs[0]


def _matrix(columns: Sequence[str], rows: NDArray[Any], model_spec: ModelSpec) -> Tensors:
    """The inputs from numbers: a column is an input, or a value of the only one."""
    if not _are_names(columns, model_spec):
        spec = _only_input(model_spec)
        _check_shape(rows.shape, spec)
        return {spec.name: tensors.cast(rows, spec)}
    places = {name: place for place, name in enumerate(columns)}
    inputs = {}
    for spec in model_spec.inputs:
        column = rows[:, places[spec.name]]
        if spec.shape[1:] == (1,):
            column = column[:, np.newaxis]
        _check_shape(column.shape, spec)
        inputs[spec.name] = tensors.cast(column, spec)
    return inputs


def _check_shape(shape: tuple[int, ...], spec: TensorSpec) -> None:
    if not tensors.fits(shape, spec):
        raise BadRequest(
            f"{spec.name}: expected shape {list(spec.shape)}, where -1 is any size,"
            f" got {list(shape)}"
        )
