"""Requests for inference are answered past Flask; Flask, asked alone, answers the same."""

import json
from pathlib import Path

from serve import command_line
from serve.api import routes
from serve.api.flask_app import create_app
from serve.api.views import Health, Views
from serve.inference.admission import Admission
from serve.inference.batching import Batcher
from serve.models import catalog
from serve.pages import Pages
from serve.telemetry.totals import Totals
from tests.conftest import Digits
from tests.serve.example_requests import REFUSALS, inference_requests
from tests.servers.live import Server


def requests(digits: Digits) -> list[tuple[str, str, bytes | None, dict[str, str]]]:
    sent = [
        ("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)
        for path, body, headers in inference_requests(digits)
    ]
    return sent + [(*case[:3], {}) for case in REFUSALS.values()]


def test_a_path_with_two_slashes_takes_the_short_way_too(server: Server, digits: Digits) -> None:
    body = json.dumps({"image": digits.images[0].tolist()})
    assert server.request("POST", "//predict", body).headers["Server-Timing"]
    assert server.request("GET", "/v2//health/live").json() == {
        "error": "GET /v2//health/live: Not Found"
    }


def test_every_route_of_inference_takes_the_short_way(server: Server, digits: Digits) -> None:
    taken = set()
    for path, body, headers in inference_requests(digits):
        sent = body if isinstance(body, bytes) else json.dumps(body)
        answer = server.request("POST", path, sent, headers)
        if answer.status == 200:
            assert answer.headers["Server-Timing"]
            found = routes.match("POST", path.partition("?")[0])
            assert found
            taken.add(found[0].path)
    inference = {route.path for route in routes.ROUTES if route.operation == routes.INFER}
    assert taken == inference - {"/v1/models/{name}/labels/{version}:predict"}


def test_both_ways_answer_the_same(server: Server, repository: Path, digits: Digits) -> None:
    chosen = command_line.load(["--models", str(repository)], {})
    served = catalog.load(chosen)
    views = Views(served, Health(), Totals(repository), chosen.max_rows, Pages(True))
    flask = create_app(Batcher(chosen), Admission(chosen, served), views).test_client()
    for method, path, body, more in requests(digits):
        headers = {"Content-Type": "application/json"} | more
        short_answer = server.request(method, path, body, headers)
        long_answer = flask.open(path, method=method, data=body, headers=headers)
        assert (short_answer.status, short_answer.body) == (
            long_answer.status_code,
            long_answer.data,
        ), path
        for name in ("Type", "Length", "Encoding"):
            header = f"Content-{name}"
            assert short_answer.headers[header] == long_answer.headers.get(header), path
        for header in ("X-Model-Name", "X-Model-Version", "X-Model-Run", "Vary"):
            assert short_answer.headers[header] == long_answer.headers.get(header), path
