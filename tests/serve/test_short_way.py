"""Requests for inference are answered past Flask; Flask, asked alone, answers the same."""

import json
from pathlib import Path

from serve import settings
from serve.admission import Admission
from serve.app import Health, create_app
from serve.inference import load
from tests.conftest import Digits
from tests.live_server import Server
from tests.serve.test_http import REFUSALS


def requests(digits: Digits) -> list[tuple[str, str, bytes | None]]:
    rows = digits.images[:5].tolist()
    valid = [{"image": rows[0]}, {"images": rows}]
    sent = [("POST", "/predict", json.dumps(document).encode()) for document in valid]
    return sent + [case[:3] for case in REFUSALS.values()]


def test_a_path_with_two_slashes_takes_the_short_way_too(server: Server, digits: Digits) -> None:
    body = json.dumps({"image": digits.images[0].tolist()})
    assert server.request("POST", "//predict", body).headers["Server-Timing"]
    assert server.request("GET", "/v2//health/live").json() == {
        "error": "GET /v2//health/live: Not Found"
    }


def test_both_ways_answer_the_same(server: Server, repository: Path, digits: Digits) -> None:
    chosen = settings.load(["--models", str(repository)], {})
    flask = create_app(load(chosen), Admission(chosen), Health(), lambda: b"").test_client()
    for method, path, body in requests(digits):
        short = server.request(method, path, body)
        long = flask.open(path, method=method, data=body)
        assert (short.status, short.body) == (long.status_code, long.data)
        for header in ("Content-Type", "Content-Length"):
            assert short.headers[header] == long.headers[header]
