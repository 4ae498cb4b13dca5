"""This project's own protocol: ``POST /predict``.

``{"image": [784 numbers]}`` or ``{"images": [[…], …]}``; an image is flat or square (28x28),
and ``{"b64": …, "dtype": …, "shape": …}`` may stand wherever an array of numbers may. For a model
of a table, ``{"rows": [{"age": 39, …}, …]}``, or ``{"columns": ["age", …], "rows": [[39, …], …]}``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import simdjson

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, Unsupported, quoted
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec
from serve.protocols import predict_answer, tensors
from serve.protocols.interface import DecodedRequest, Tensors, error_body
from serve.protocols.reading import images, json_arrays, json_document
from serve.protocols.reading.json_arrays import Arrays
from serve.protocols.reading.table_rows import RowsReader
from serve.protocols.response import Response

_KEYS = frozenset(("image", "images"))
_ROWS = '{"rows": [{name: value, …}, …]}, or arrays as rows with their names in "columns"'

refuse = error_body


@dataclass(slots=True)
class PredictRequest(DecodedRequest):
    """A decoded request."""

    single: bool = False
    """Did its one row come as ``image``?"""


def parse(
    body: bytes, headers: Mapping[str, str], model_spec: ModelSpec, max_rows: int
) -> PredictRequest:
    """Make a valid batch of the bytes of a request; see ``InferenceProtocol.parse``.

    Raises:
        Unsupported: the model's tensors are not an image and the probabilities of classes.
        BadRequest: not JSON, a missing key, a wrong shape, a value that is no number or out of
            range; the message says where, and what was expected.
        TooLarge: more than ``max_rows`` images.

    """
    return json_document.read(body, model_spec, max_rows, _read)


def _read(arrays: Arrays, model_spec: ModelSpec, max_rows: int) -> PredictRequest:
    spec = _input(model_spec)
    document = json_arrays.parse(arrays.body)
    if isinstance(spec, TableSpec):
        inputs = _rows(document, RowsReader(arrays, spec, model_spec, max_rows), spec)
        return PredictRequest(inputs, len(inputs[spec.name]))
    if not isinstance(document, simdjson.Object):
        raise BadRequest(
            f'expected {{"image": …}} or {{"images": …}}, got {json_arrays.kind(document)}'
        )
    keys = _KEYS.intersection(document)  # to ask for a key that is not there is slow
    if len(keys) != 1:
        what = "both" if keys else "neither"
        raise BadRequest(f'expected either "image" or "images", got {what}')
    single = "image" in keys
    if single:
        tensors.check_rows(1, max_rows, model_spec)
        rows = images.take(arrays, document["image"], spec, "image")[np.newaxis]
    else:
        rows = images.take_all(arrays, document["images"], model_spec, max_rows)
    arrays.check()
    return PredictRequest({spec.name: arrays.cast(rows, spec)}, len(rows), single=single)


def _rows(document: Any, reader: RowsReader, spec: TableSpec) -> Tensors:
    """The batch of a table."""
    if not isinstance(document, simdjson.Object):
        raise BadRequest(f"expected {_ROWS}; got {json_arrays.kind(document)}")
    keys = json_arrays.keys(document)
    if "rows" not in keys or keys - {"rows", "columns"}:
        raise BadRequest(f"expected {_ROWS}; got the keys {quoted(', '.join(sorted(keys)))}")
    rows = document["rows"]
    if "columns" in keys:
        names = reader.names(document["columns"], "columns")
        return reader.rows(rows, names, "rows", elsewhere=1)
    if isinstance(rows, simdjson.Array) and len(rows) and isinstance(rows[0], simdjson.Object):
        return reader.records(rows, "rows")
    return reader.rows(rows, spec.names, "rows", elsewhere=0)


def render(request: DecodedRequest, outputs: Tensors, model_spec: ModelSpec) -> Response:
    """Answer ``request`` with what the model predicts."""
    response = predict_answer.batch(outputs, model_spec)
    if isinstance(request, PredictRequest) and request.single:
        response = predict_answer.only(response)
    else:
        response |= {"model": model_spec.name, "version": model_spec.version}
    return Response(200, orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY))


def _input(model_spec: ModelSpec) -> TensorSpec:
    spec, *others = model_spec.inputs
    if others or min(spec.shape[1:], default=0) < 1 or spec.dtype == "bool":
        why = "its inputs are not one tensor of shape (N, features)"
    elif predict_answer.is_supported(model_spec):
        return spec
    else:
        why = "its first output is not of shape (N, classes)"
    raise Unsupported(f"/predict can't speak for {model_spec.name}: {why}; the other routes can")
