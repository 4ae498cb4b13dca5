"""A short attack; ``python -m tests.reliability attack`` has more of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

from tests.reliability.attack import attack
from tests.reliability.attacker import Attacker, answers
from tests.reliability.documents import SIGNATURES


def test_a_server_that_is_attacked_goes_on(shared: Path) -> None:
    outcome = attack(shared / "other-models", count=3000, seed=1)
    assert outcome.wrong == []
    assert outcome.workers_lost == 0
    assert outcome.logged == []
    assert outcome.peak_mib < 120
    assert outcome.statuses[200] > 100
    assert outcome.statuses[400] > 1000


@contextmanager
def answering(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(answer(self.rfile.read()))

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda sent: FINE, False),
        (lambda sent: FINE * 2, False),
        (lambda sent: FINE.replace(b"200", b"400"), False),
        (lambda sent: FINE.replace(b"200", b"500") if b"chunked" in sent else FINE, True),
        (lambda sent: FINE[:-1] if b"chunked" in sent else FINE, True),
        (lambda sent: FINE + b"\r\n" if b"chunked" in sent else FINE, True),
        (lambda sent: b"Traceback" if b"chunked" in sent else FINE, True),
    ],
)
def test_a_server_with_a_fault_is_found(answer: Callable[[bytes], bytes], found: bool) -> None:
    with answering(answer) as port:
        attacker = Attacker(port, SIGNATURES, seed=1)
        for _ in range(100):
            attacker.strike()
    assert bool(attacker.wrong) == found


def test_statuses_of_all_answers() -> None:
    assert answers(FINE + b"HTTP/1.1 100 Continue\r\n\r\n" + FINE) == [200, 100, 200]
