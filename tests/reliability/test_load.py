"""The load notices what a server does wrong: one that does it on purpose."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.reliability.load import Load
from tests.servers.processes import eventually

Answer = Callable[[int, int], tuple[int, int, int] | None]
"""Status, sum and version of the answer to the n-th request, for a number; None for no answer."""


@contextmanager
def serving(answer: Answer) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        count = 0

        def do_POST(self) -> None:
            ((number, _),) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))[
                "images"
            ]
            Handler.count += 1
            given = answer(Handler.count, number)
            if given is None:
                self.close_connection = True
                return
            status, total, version = given
            body = json.dumps({"probabilities": [[total, version]], "version": version}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_right_answers_are_counted_by_version() -> None:
    with (
        serving(lambda count, number: (200, number + 1 + count % 2, 1 + count % 2)) as port,
        Load(port, connections=1) as load,
    ):
        load.goes_on()
    assert (load.wrong, load.failed) == ([], [])
    assert load.versions.keys() == {1, 2}
    assert load.sent == load.right


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda count, number: (200, number + 1 + (count == 50), 1), "wrong"),
        (lambda count, number: (200, number + 1, 1 + (count == 50)), "wrong"),
        (lambda count, number: None if count == 50 else (200, number + 1, 1), "failed"),
        (lambda count, number: (503 if count == 50 else 200, number + 1, 1), "failed"),
    ],
)
def test_a_single_bad_answer_is_found(answer: Answer, found: str) -> None:
    with serving(answer) as port, Load(port) as load:
        assert eventually(lambda: load.right > 200)
    other = {"wrong": "failed", "failed": "wrong"}[found]
    assert len(getattr(load, found)) == 1
    assert getattr(load, other) == []


def test_an_answer_of_a_version_that_was_replaced_is_found() -> None:
    with serving(lambda count, number: (200, number + 1, 1)) as port, Load(port) as load:
        load.goes_on()
        assert load.wrong == []
        load.newest = 2
        assert eventually(lambda: bool(load.wrong))
    assert load.wrong[0] == "version 1 answered after 2 had replaced it"
