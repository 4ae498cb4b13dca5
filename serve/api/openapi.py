"""``/openapi.json``: the OpenAPI 3.1 document, made of the table of routes.

Paths, parameters and protocols are those of ``serve.api.routes``. An operation answers with the
schema that is named like it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

import serve
from serve.api.openapi_schemas import SCHEMAS, Schema, ref
from serve.api.routes import INFER, LOAD, ROUTES, UNLOAD, Route
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.interface import InferenceProtocol

_TEXT: Schema = {"type": "string"}
_TITLES: tuple[tuple[InferenceProtocol, str, str], ...] = (
    (predict, "onnxlet", "Predict"),
    (oip, "Open Inference Protocol V2", "Infer"),
    (tfserving, "TensorFlow Serving REST, KServe V1", "Tfserving"),
    (mlflow, "MLflow scoring, SageMaker", "Invocations"),
)
_PATH = {
    "name": "Name of the model.",
    "version": "Number of the version, or a label.",
    "file": "Name of the file.",
}
_QUERY = {"model": "Name of the model.", "version": "Number of the version, or a label."}
# What is answered otherwise than in JSON.
_MEDIA = {
    "ping": ["text/plain"],
    "version": ["text/plain"],
    "metrics": ["text/plain"],
    "page": ["text/html"],
    "docs": ["text/html"],
    "page_file": ["text/css", "text/javascript", "text/html", "image/svg+xml"],
}
_PAGES = ("page", "docs", "page_file")
_ERRORS = {
    400: "The request is not what the route takes; the message says what was expected.",
    401: "`--api-keys` is set (`--admin-keys`, to load or unload), and the request brought no known"
    " key.",
    403: "Nobody may load or unload, for `--admin-keys` is not set.",
    404: "There is no such model, version or label.",
    408: "The head or the body comes too slowly.",
    413: "Too many rows or bytes.",
    415: "The body is of a type or an encoding that is not taken.",
    429: "There is more to do than can be done soon.",
    431: "The head is too long.",
    500: "A fault of the server's or of the model's.",
    501: "It is asked as it may be, but not served here.",
    503: "The version is there, but can't be served; or the server is about to end.",
    504: "The answer would come after the request's deadline.",
}
_ANY_ROUTE = (400, 408, 413, 429, 431, 500, 501)  # before it is known which route it is
_EVERY = ("X-Request-Id", "traceparent")
_REFUSED = (*_EVERY, "X-Model-Name", "X-Model-Version", "X-Model-Run")  # where known
_OF_ERRORS = {401: ("WWW-Authenticate",), 429: ("Retry-After",)}
_HEADERS = {
    "X-Request-Id": "The request's, or one that was made for it.",
    "traceparent": "The request's, if it had a valid one.",
    "X-Model-Name": "The model that answers.",
    "X-Model-Version": "Its version.",
    "X-Model-Run": "The MLflow run that trained it, where its manifest names one.",
    "Server-Timing": "Milliseconds in parse, queue, infer and render.",
    "Content-Encoding": "gzip or deflate, where asked for and worth it.",
    "Vary": "Accept-Encoding, where the answer is compressed.",
    oip.HEAD_LENGTH: "Length of the JSON, where bytes of tensors follow it.",
    "Retry-After": "Seconds after which to come again.",
    "WWW-Authenticate": "Bearer.",
}
_PAGE_HEADERS = {
    "Content-Security-Policy": "The page loads from this server alone.",
    "Cache-Control": "no-cache.",
    "Referrer-Policy": "no-referrer.",
    "X-Content-Type-Options": "nosniff.",
}
_KEYS: list[dict[str, list[str]]] = [{"bearer": []}, {"key": []}]
_SENT = {
    "X-Request-Id": "An id for logs and for the answer.",
    "traceparent": "The trace of the request (W3C Trace Context), for logs and for the answer.",
    "X-Request-Timeout-Ms": "Longest time for the answer; `--timeout` is the most.",
    "Content-Encoding": "gzip or deflate, of the body.",
    "Accept-Encoding": "gzip or deflate, for long answers.",
    "X-API-Key": "A key, where `--api-keys` is set; or Authorization: Bearer.",
}


def document(summaries: Mapping[str, str | None]) -> bytes:
    """The whole document, as JSON.

    Args:
        summaries: what each operation does, but for inference.

    """
    paths: dict[str, Any] = {}
    for route in ROUTES:
        operation = _operation(route, summaries.get(route.operation))
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "onnxlet",
            "version": serve.__version__,
            "description": "A small ONNX model service. Each path has the protocol of its tag.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": title} for _, title, _ in _TITLES],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "responses": _all_refusals(),
            "headers": {
                name: {"description": said, "schema": _TEXT}
                for name, said in (_HEADERS | _PAGE_HEADERS).items()
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }
    return orjson.dumps(document)


def _operation(route: Route, summary: str | None) -> dict[str, Any]:
    title, kind = next((title, kind) for known, title, kind in _TITLES if known is route.protocol)
    described = _inference(route, kind) if route.operation == INFER else _view(route, summary)
    name = re.sub(r"\W+", "_", f"{route.operation}{route.path}").strip("_")
    return {"operationId": name, "tags": [title], **described}


def _view(route: Route, summary: str | None) -> dict[str, Any]:
    parameters = [_parameter(name, "path", _PATH) for name in route.pattern.groupindex]
    errors = set(_ANY_ROUTE)
    if parameters:
        errors |= {404, 503}
    if route.operation in ("ready", "ping"):
        errors.add(503)
    changes = route.operation in (LOAD, UNLOAD)
    if changes:
        errors |= {401, 403}
    headers = [*_EVERY]
    if route.operation in _PAGES:
        errors.add(404)
        headers += _PAGE_HEADERS
    if media := _MEDIA.get(route.operation):
        content = dict.fromkeys(media, _TEXT)
    else:
        content = {"application/json": ref(route.operation.title().replace("_", ""))}
    response = _answer(content, headers)
    described = {
        "summary": summary,
        "parameters": parameters,
        "responses": {"200": response} | _refusals(route, errors),
    }
    if changes:
        body = {"content": _content({"application/json": ref("ModelChange")})}
        described |= {"requestBody": body, "security": _KEYS}
    return described


def _inference(route: Route, kind: str) -> dict[str, Any]:
    parameters = [_parameter(name, "path", _PATH) for name in route.pattern.groupindex]
    if not parameters:
        parameters = [_parameter(name, "query", _QUERY) for name in _QUERY]
    binary = {oip.HEAD_LENGTH} if kind == "Infer" else set()
    sent = _SENT | {name: _HEADERS[name] for name in binary}
    parameters += [_parameter(name, "header", sent) for name in sent]
    not_here = {"Retry-After", "WWW-Authenticate", oip.HEAD_LENGTH} - binary
    headers = [name for name in _HEADERS if name not in not_here]
    return {
        "summary": "Run a model on a batch.",
        "parameters": parameters,
        "requestBody": {"required": True, "content": _content(_bodies(kind, "Request"))},
        "security": [{}, *_KEYS],
        "responses": {"200": _answer(_bodies(kind, "Answer"), headers)}
        | _refusals(route, set(_ERRORS) - {403}),
    }


def _refusals(route: Route, statuses: set[int]) -> dict[str, Schema]:
    form = "MlflowError" if route.protocol is mlflow else "Error"
    return {
        str(status): {"$ref": f"#/components/responses/{form}{status}"}
        for status in sorted(statuses)
    }


def _all_refusals() -> dict[str, Any]:
    return {
        f"{form}{status}": _answer(
            {"application/json": ref(form)},
            [*_REFUSED, *_OF_ERRORS.get(status, ())],
            said,
        )
        for form in ("Error", "MlflowError")
        for status, said in _ERRORS.items()
    }


def _bodies(kind: str, side: str) -> dict[str, Schema]:
    """Media types of the requests or responses of a protocol, and their schemas."""
    bodies = {"application/json": ref(kind + side)}
    if kind == "Infer":
        bodies[oip.BINARY] = {"description": "JSON of the same schema, then the bytes of tensors."}
    if kind == "Invocations" and side == "Request":
        bodies["text/csv"] = {"type": "string", "description": "The first line names columns."}
    return bodies


def _answer(
    content: dict[str, Schema], headers: Iterable[str], said: str = "As asked."
) -> dict[str, Any]:
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return {"description": said, "headers": named, "content": _content(content)}


def _content(schemas: dict[str, Schema]) -> dict[str, Schema]:
    return {media: {"schema": schema} for media, schema in schemas.items()}


def _parameter(name: str, place: str, said: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "description": said[name],
        "required": place == "path",
        "schema": _TEXT,
    }
