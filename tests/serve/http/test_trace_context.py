import json

import pytest

from serve.http.trace_context import traceparent
from tests.conftest import Digits
from tests.servers.live import Server

VALID = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (VALID, VALID),
        (VALID[:-2] + "00", VALID[:-2] + "00"),
        ("cc" + VALID[2:], VALID),  # a later version, read as 00
        (f"cc{VALID[2:]}-more", VALID),
        (f"cc{VALID[2:]}more", ""),
        (f"{VALID}-more", ""),
        ("ff" + VALID[2:], ""),
        (VALID.upper(), ""),
        (VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32), ""),
        (VALID.replace("00f067aa0ba902b7", "0" * 16), ""),
        (VALID[:-1], ""),
        (f"{VALID}, {VALID}", ""),
        ("", ""),
    ],
)
def test_what_is_valid(header: str, read: str) -> None:
    assert traceparent(header) == read


@pytest.mark.parametrize("code", ["epoll", "waitress"])
def test_a_trace_is_returned_and_logged(code: str, repository: str, digits: Digits) -> None:
    body = json.dumps({"images": digits.images[:2].tolist()})
    with Server("--models", str(repository), "--server", code, "--access-log", "all") as server:
        calls = (("POST", "/predict", body), ("POST", "/predict", "{}"), ("GET", "/v2", None))
        for method, path, sent in calls:
            answer = server.request(method, path, sent, {"traceparent": VALID})
            assert answer.headers["traceparent"] == VALID
            ignored = server.request(method, path, sent, {"traceparent": "01-short"})
            assert ignored.headers["traceparent"] is None
        _, _, log = server.end(15)
    entries = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [entry.get("traceparent") for entry in entries] == [VALID, None] * 3
