"""/openapi.json says what the server does, and the server does what it says."""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from serve import command_line, errors
from serve.api import routes
from serve.api.flask_app import create_app
from serve.api.views import Health, Views
from serve.inference.admission import Admission
from serve.inference.batching import Batcher
from serve.models import catalog
from serve.pages import Pages
from serve.telemetry.totals import Totals
from tests.conftest import ROOT, Digits, run
from tests.serve.example_requests import inference_requests
from tests.servers.live import Response, Server

CONFIG = ROOT / "tests/schemathesis.toml"
EVERYWHERE = {"Content-Length", "Content-Type", "Date", "Connection"}  # HTTP's own


@pytest.fixture(scope="module")
def document(server: Server) -> Any:
    return server.request("GET", "/openapi.json").json()


def resolved(document: Any, element: Any) -> Any:
    while "$ref" in element:
        found = document
        for key in element["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        element = found
    return element


def is_valid(document: Any, schema: Any, instance: Any) -> None:
    jsonschema.validate(instance, schema | {"components": document["components"]})


def described(document: Any, path: str, method: str, answer: Response) -> Any:
    """What the document says of an answer; its headers are among those that it names."""
    operation = document["paths"][path][method.lower()]
    assert str(answer.status) in operation["responses"], (path, answer.status)
    said = resolved(document, operation["responses"][str(answer.status)])
    assert set(answer.headers) - EVERYWHERE <= set(said["headers"]), (path, answer.status)
    return said


def check(document: Any, path: str, method: str, answer: Response) -> None:
    content = described(document, path, method, answer)["content"]
    media = answer.headers["Content-Type"].partition(";")[0]
    assert media in content, path
    if answer.headers["Content-Encoding"] or media != "application/json" or answer.body == b"\n":
        return
    is_valid(document, content[media]["schema"], answer.json())


def test_is_valid(document: Any) -> None:
    validate(document)


def test_has_every_route_and_no_other(document: Any, repository: Path) -> None:
    chosen = command_line.load(["--models", str(repository)], {})
    served = catalog.load(chosen)
    views = Views(served, Health(), Totals(repository), chosen.max_rows, Pages(True))
    app = create_app(Batcher(chosen), Admission(chosen, served), views)
    served_routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    said = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert said == served_routes


def test_has_every_refusal_and_no_other(document: Any) -> None:
    def below(kind: type[errors.ServeError]) -> set[int]:
        return {kind.status}.union(*map(below, kind.__subclasses__()))

    never_sent = 499  # the client is gone
    sent = below(errors.ServeError) | {431}  # Malformed has a status for each cause
    for route in routes.ROUTES:
        if route.operation == routes.INFER:
            said = document["paths"][route.path]["post"]["responses"]
            assert set(map(int, said)) == sent - {never_sent, errors.Forbidden.status} | {200}


def test_describes_every_view(document: Any, server: Server) -> None:
    for route in routes.ROUTES:
        if route.operation in (routes.INFER, routes.LOAD, routes.UNLOAD):
            continue
        path = route.path.replace("{name}", "mnist").replace("{version}", "1")
        path = path.replace("{file}", "page.js")
        answer = server.request(route.method, path)
        assert answer.status == 200, path
        check(document, route.path, route.method, answer)
        if "{name}" in route.path:
            missing = server.request(route.method, path.replace("mnist", "cats"))
            assert missing.status == 404
            check(document, route.path, route.method, missing)
    for file in ("page.css", "docs.html", "icon.svg"):
        check(document, "/pages/{file}", "GET", server.request("GET", f"/pages/{file}"))


def test_describes_load_and_unload(document: Any, repository: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{hashlib.sha256(b'secret').hexdigest()} admin\n")
    good, bad = {"X-API-Key": "secret"}, {"X-API-Key": "other"}
    asked = json.dumps({"parameters": {"unload_dependents": False}})
    wrong = json.dumps({"parameters": {"config": "{}"}})
    with Server("--models", str(repository), "--admin-keys", str(keys)) as server:
        for operation in (routes.UNLOAD, routes.LOAD):
            route = next(route for route in routes.ROUTES if route.operation == operation)
            schema = document["paths"][route.path]["post"]["requestBody"]["content"]
            is_valid(document, schema["application/json"]["schema"], json.loads(asked))
            for name, body, headers, status in (
                ("mnist", asked, good, 200),
                ("mnist", None, good, 200),
                ("mnist", None, bad, 401),
                ("mnist", "[", good, 400),
                ("mnist", wrong, good, 501),
                ("cats", None, good, 404),
            ):
                path = route.path.replace("{name}", name)
                answer = server.request("POST", path, body, headers)
                assert answer.status == status, answer.body
                check(document, route.path, "POST", answer)


def test_describes_what_inference_takes_and_gives(
    document: Any, server: Server, digits: Digits
) -> None:
    statuses = set()
    for path, body, headers in inference_requests(digits):
        found = routes.match("POST", path.partition("?")[0])
        assert found
        template = found[0].path
        operation = document["paths"][template]["post"]
        known = {one["name"] for one in operation["parameters"]} | {"Content-Type"}
        assert set(headers) <= known
        sent = body if isinstance(body, bytes) else json.dumps(body)
        answer = server.request("POST", path, sent, headers)
        statuses.add(answer.status)
        check(document, template, "POST", answer)
        if answer.status == 200 and not isinstance(body, bytes):
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            is_valid(document, schema, body)
    assert statuses == {200, 400, 404, 415}


def test_describes_rows_of_tables(document: Any, table_repository: Path) -> None:
    columns = ["age", "job", "paid"]
    rows = [[39, "admin", None], [20, "nurse", True]]
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    schema = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    with Server("--models", str(table_repository), "--default-model", "people") as server:
        for body in ({"rows": records}, {"rows": rows, "columns": columns}):
            is_valid(document, schema["schema"], body)
            answer = server.predict(body)
            assert answer.status == 200
            check(document, "/predict", "POST", answer)
        for path, template in (
            ("/v2/models/people", "/v2/models/{name}"),
            ("/v2/models/people/example", "/v2/models/{name}/example"),
            ("/v2/models/named", "/v2/models/{name}"),
        ):
            check(document, template, "GET", server.request("GET", path))
        regression = {"rows": [[80, None, 2, "Bonn"]]}
        answer = server.request("POST", "/predict?model=prices", json.dumps(regression))
        assert answer.status == 200
        check(document, "/predict", "POST", answer)


def test_holds_for_generated_requests(server: Server, tmp_path: Path) -> None:
    """As schemathesis makes them of the document; not all of what it says is in JSON Schema."""
    checks = (
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        *("response_schema_conformance", "response_headers_conformance", "unsupported_method"),
    )
    command = [
        *(Path(sys.executable).with_name("schemathesis"), f"--config-file={CONFIG}", "run"),
        *(f"http://127.0.0.1:{server.port}/openapi.json", "--seed", "1", "--max-examples", "20"),
        *("--checks", ",".join(checks), "--no-color"),
    ]
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    generated = re.search(r"(\d+) generated, \1 passed", done.stdout)
    assert generated, done.stdout[-5000:]
    assert int(generated[1]) > 500
