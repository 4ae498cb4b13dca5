"""The event loop answers as the same application does under waitress as it comes."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serve.api import routes
from tests.conftest import Digits
from tests.serve.example_requests import REFUSALS, inference_requests
from tests.serve.protocols import test_oip, test_predict, test_tabular_json
from tests.servers.live import Response, Server
from tests.servers.scrape import scrape

Sent = tuple[str, str, bytes | None, dict[str, str]]
"""Method, path, body and headers."""

SAME = ("Content-Type", "Content-Length", "Content-Encoding", "Vary", "Connection", "Retry-After")
SAME += ("X-Model-Name", "X-Model-Version", "X-Model-Run", "WWW-Authenticate")
BOTH = ("Date", "X-Request-Id", "Server-Timing")  # whose values differ
COUNTED = ("/metrics", "/stats")  # whose bodies tell what each has been asked


@pytest.fixture(scope="module")
def reference(repository: Path) -> Iterator[Server]:
    with Server("--models", str(repository), "--server", "waitress") as running:
        yield running


def cases(test: Any) -> Iterator[Any]:
    """What each case that a test is parametrized with says is parsed."""
    for mark in test.pytestmark:
        if mark.name == "parametrize":
            names, values = mark.args
            at = names.index("document") if "document" in names[1:] else 0
            yield from (value if isinstance(names, str) else value[at] for value in values)


def to_every_dialect() -> Iterator[Sent]:
    """What the tests of the protocols parse, sent to the model of digits."""

    def sent(path: str, document: Any) -> Sent:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return "POST", path, body, {}

    for test in (
        test_predict.test_takes_a_batch_in_every_form,
        test_predict.test_takes_one_image_in_every_form,
        test_predict.test_says_what_is_wrong,
    ):
        for document in cases(test):
            yield sent("/predict", document)
    for inputs in cases(test_oip.test_says_what_is_wrong):
        yield sent("/v2/models/mnist/infer", {"inputs": list(inputs)})
    for path in ("/v1/models/mnist:predict", "/invocations"):
        for document in table_documents():
            yield sent(path, document)


def table_documents() -> Iterator[Any]:
    for name, test in vars(test_tabular_json).items():
        if name.startswith("test_") and hasattr(test, "pytestmark"):
            for case in cases(test):
                if isinstance(case, dict | list | bytes):
                    yield case


def to_every_route(digits: Digits) -> Iterator[Sent]:
    """Each route with each method, for models and versions that there are, and others."""
    for route in routes.ROUTES:
        for name, version in (("mnist", "1"), ("mnist", "9"), ("cats", "1"), ("a%20b", "stable")):
            path = route.path.replace("{name}", name).replace("{version}", version)
            if route.operation not in (routes.LOAD, routes.UNLOAD):
                for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                    yield method, path, b"{}" if method in ("POST", "PUT") else None, {}
    for path in ("/nowhere", "/v2/", "//predict", "/v2//health/live", "/a" * 400):
        yield "GET", path, None, {}
        yield "POST", path, b"{}", {}


def to_both(digits: Digits) -> Iterator[Sent]:
    for path, body, headers in inference_requests(digits):
        yield "POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), headers
    for method, path, body, *_ in REFUSALS.values():
        yield method, path, body, {}
    yield from to_every_route(digits)
    yield from to_every_dialect()
    for name, value in (
        ("X-Request-Id", "mine"),
        ("X-Request-Timeout-Ms", "soon"),
        ("X-Request-Timeout-Ms", "60000"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Content-Encoding", "gzip"),
        ("Connection", "close"),
    ):
        # A longer body would not be read where its head is refused, and the connection closed.
        rows = 300 if name == "Accept-Encoding" else 10
        body = json.dumps({"images": digits.images[:rows].tolist()}).encode()
        yield "POST", "/predict", body, {name: value}
        yield "GET", "/v2/models/mnist", None, {name: value}


def differences(ours: Response, theirs: Response, path: str) -> list[str]:
    counted = path.endswith(COUNTED)
    compared: list[tuple[str, Any, Any]] = [
        ("status", ours.status, theirs.status),
        ("Allow", allowed(ours), allowed(theirs)),
        *((name, ours.headers[name], theirs.headers[name]) for name in SAME),
        *((name, name in ours.headers, name in theirs.headers) for name in BOTH),
    ]
    if counted:
        compared = [of for of in compared if of[0] != "Content-Length"]
    else:
        compared.append(("body", ours.body[:1000], theirs.body[:1000]))
    return [f"{name}: {one} for {other}" for name, one, other in compared if one != other]


def allowed(answer: Response) -> set[str]:
    return set((answer.headers["Allow"] or "").split(", "))


def test_every_answer_is_the_same(server: Server, reference: Server, digits: Digits) -> None:
    statuses: dict[int, int] = {}
    wrong = []
    for method, path, body, headers in to_both(digits):
        ours = server.request(method, path, body, headers)
        theirs = reference.request(method, path, body, headers)
        statuses[theirs.status] = statuses.get(theirs.status, 0) + 1
        wrong += [f"{method} {path}: {one}" for one in differences(ours, theirs, path)]
    assert wrong == []
    assert statuses[200] > 50
    assert statuses[400] > 50
    assert {404, 405, 413, 415} <= statuses.keys()


def test_a_difference_would_be_found(server: Server, reference: Server) -> None:
    ours, theirs = server.request("GET", "/v2"), reference.request("GET", "/v1/models")
    assert len(differences(ours, theirs, "/v2")) == 2


def test_the_reference_counts_and_ends(repository: Path, digits: Digits) -> None:
    with Server("--models", str(repository), "--server", "waitress") as reference:
        assert reference.predict({"images": digits.images[:5].tolist()}).status == 200
        assert reference.request("POST", "/v2/repository/models/mnist/load", b"{}").status == 501
        seen = {name: value for (name, _), value in scrape(reference).items()}
        assert (seen["rows_total"], seen["batch_rows_count"]) == (5, 1)
        assert (seen["request_duration_seconds_count"], seen["model_version_ready"]) == (1, 1)
        status, out, log = reference.end(signal.SIGTERM)
    assert (status, out) == (0, "ended\n")
    assert [json.loads(line)["status"] for line in log.splitlines()] == [501]
