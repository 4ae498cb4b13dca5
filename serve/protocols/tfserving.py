"""TensorFlow Serving's REST protocol: ``POST /v1/models/{name}:predict``, in rows or columns.

Source: tensorflow.org/tfx/serving/api_rest. A request with rows in ``instances`` gets
``predictions``; a request with columns in ``inputs`` gets ``outputs``. If a model has only one
input or output, the request may omit its name, and the response omits it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import simdjson

from serve.errors import BadRequest
from serve.models.spec import ModelSpec
from serve.protocols.interface import DecodedRequest, Tensors, error_body
from serve.protocols.reading import json_arrays, json_document, tabular_json
from serve.protocols.reading.json_arrays import Arrays
from serve.protocols.reading.tabular_json import TableReader
from serve.protocols.response import Response

SIGNATURE_NAME = "serving_default"
_FORMS = frozenset(("instances", "inputs"))

refuse = error_body


@dataclass(slots=True)
class PredictRequest(DecodedRequest):
    """A decoded request in rows or columns."""

    in_rows: bool = False


def parse(
    body: bytes, headers: Mapping[str, str], model_spec: ModelSpec, max_rows: int
) -> PredictRequest:
    """See ``InferenceProtocol.parse``."""
    return json_document.read(body, model_spec, max_rows, _read)


def _read(arrays: Arrays, model_spec: ModelSpec, max_rows: int) -> PredictRequest:
    document = json_arrays.parse(arrays.body)
    if not isinstance(document, simdjson.Object):
        raise BadRequest(f"expected an object, got {json_arrays.kind(document)}")
    keys = json_arrays.keys(document)
    if len(forms := keys & _FORMS) != 1:
        raise BadRequest(f'expected either "instances" or "inputs", got {len(forms)} of them')
    if "signature_name" in keys and document["signature_name"] != SIGNATURE_NAME:
        raise BadRequest(f'signature_name: there is only "{SIGNATURE_NAME}"')
    reader = TableReader(arrays, model_spec, max_rows)
    in_rows = "instances" in forms
    if in_rows:
        inputs = reader.rows(document["instances"], "instances")
    else:
        inputs = reader.columns(document["inputs"], "inputs")
    return PredictRequest(inputs, reader.finish(inputs), in_rows=in_rows)


def render(request: DecodedRequest, outputs: Tensors, model_spec: ModelSpec) -> Response:
    """Respond with all outputs, in rows or columns like the request."""
    if isinstance(request, PredictRequest) and request.in_rows:
        response = {"predictions": tabular_json.in_rows(outputs, request.rows)}
    else:
        response = {"outputs": tabular_json.in_columns(outputs)}
    return Response(200, orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY))
