"""docs/reference/http-api.md: every endpoint, from the OpenAPI document that the server sends."""

import json
from collections.abc import Iterator
from typing import Any

from docs.generate.markdown import code, page, table
from serve.api import openapi, views

_INTRODUCTION = """\
A running server describes the same as OpenAPI 3.1 at `GET /openapi.json`, and shows it at
`/docs`, where requests can be tried. [protocols.md](../protocols.md) explains the protocols,
[serving.md](../serving.md) `POST /predict`. `{version}` is a number or a label."""
_STATUSES = """\
Every operation answers 200 if it succeeds. Any path can answer {anywhere}; the tables above list
the other ones. [http.md](../http.md) lists the statuses of malformed HTTP: 400, 414, 417, 501 and
505."""


def write() -> str:
    """The page."""
    document = json.loads(openapi.document(views.summaries()))
    operations = [*_operations(document["paths"])]
    anywhere = set.intersection(*({*operation["responses"]} for _, _, operation in operations))
    parts = [_INTRODUCTION]
    for tag in document["tags"]:
        rows = [_endpoint(*of, anywhere) for of in operations if tag["name"] in of[2]["tags"]]
        head = ("method", "path", "operation", "other statuses")
        parts += [f"## {tag['name']}", table(head, rows)]
    return page(
        "HTTP API",
        *parts,
        "## Statuses",
        _STATUSES.format(anywhere=", ".join(sorted(anywhere - {"200"}))),
        table(("status", "meaning"), _statuses(document["components"]["responses"])),
        "## Headers",
        "Of responses:",
        table(("header", "meaning"), _response_headers(document["components"]["headers"])),
        "Of requests for inference:",
        table(("header", "meaning"), _request_headers(operations)),
    )


def _operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _endpoint(
    method: str, path: str, operation: dict[str, Any], anywhere: set[str]
) -> tuple[str, ...]:
    statuses = ", ".join(sorted({*operation["responses"]} - anywhere))
    return method, code(path), operation["summary"], statuses


def _statuses(responses: dict[str, Any]) -> list[tuple[str, str]]:
    said = {name[-3:]: response["description"] for name, response in responses.items()}
    return sorted(said.items())


def _response_headers(headers: dict[str, Any]) -> list[tuple[str, str]]:
    return [(code(name), header["description"]) for name, header in headers.items()]


def _request_headers(
    operations: list[tuple[str, str, dict[str, Any]]],
) -> list[tuple[str, str]]:
    found = {
        code(parameter["name"]): parameter["description"]
        for _, _, operation in operations
        for parameter in operation["parameters"]
        if parameter["in"] == "header"
    }
    return [*found.items()]
