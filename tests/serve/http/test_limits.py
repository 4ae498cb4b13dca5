"""How much a connection may send, how slowly, and how many connections there may be."""

import contextlib
import json
import re
import resource
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Digits, run
from tests.servers.live import Server, after_kernel_warning
from tests.servers.processes import eventually
from tests.servers.raw_client import GET, HEAD, exchange, one_worker


class Raw:
    """A connection on which bytes are sent as a test likes."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def announce(self, length: int) -> None:
        self.send(HEAD + b"Content-Length: %d\r\n\r\n" % length)

    def answer(self) -> tuple[int, str, dict[str, object]]:
        """Status, head and JSON body of the next answer; status 0 when the connection ends."""
        received = b""
        while b"\r\n\r\n" not in received:
            if not (more := self._socket.recv(65536)):
                return 0, received.decode(), {}
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length
        while len(body) < int(length[1]):
            body += self._socket.recv(65536)
        return int(head.split()[1]), head.decode(), json.loads(body)

    def health(self) -> int:
        self.send(b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        return self.answer()[0]


def test_a_head_that_is_too_long_is_refused(server: Server) -> None:
    head, body = exchange(server, HEAD + b"X-Padding: " + b"x" * 20_000 + b"\r\n\r\n")
    assert head.split()[1] == b"431"
    assert json.loads(body) == {"error": "expected a head of at most 16384 bytes"}


def test_a_body_that_is_too_long_is_not_asked_for(server: Server) -> None:
    head, body = exchange(
        server, HEAD + b"Content-Length: 16777217\r\nExpect: 100-continue\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body) == {"error": "expected a body of at most 16777216 bytes"}


@pytest.mark.parametrize("begin", [HEAD, HEAD + b"Content-Length: 1000\r\n\r\n" + b" " * 100])
def test_a_request_that_comes_too_slowly_is_refused(repository: Path, begin: bytes) -> None:
    settings = ("--header-timeout", "0.5", "--min-body-rate", "1000")
    with one_worker(repository, *settings) as server, Raw(server) as client:
        assert client.health() == 200
        client.send(begin)
        status, head, body = client.answer()
        assert status == 408
        assert "Connection: close" in head
        assert body == {
            "error": "expected the head within 0.5 s, and the body at 1000 bytes a second or more"
        }
        assert client.answer()[0] == 0
        assert server.request("GET", "/v2/health/ready").status == 200


def test_a_long_body_may_take_its_time(repository: Path, digits: Digits) -> None:
    body = json.dumps({"image": digits.images[0].tolist()}).encode().ljust(10_000)
    settings = ("--header-timeout", "2", "--min-body-rate", "1000")
    with one_worker(repository, *settings) as server, Raw(server) as client:
        client.announce(len(body))
        for start in range(0, len(body), 2000):
            client.send(body[start : start + 2000])
            time.sleep(0.6)
        assert client.answer()[2]["prediction"] == 7


def test_a_silent_connection_is_closed(repository: Path) -> None:
    with one_worker(repository, "--idle-timeout", "2") as server:
        with Raw(server) as client, Raw(server) as quiet:
            assert client.health() == 200
            assert client.answer() == (0, "", {})
            assert quiet.answer() == (0, "", {})
        assert server.request("GET", "/v2/health/ready").status == 200


def test_closing_silent_connections_does_not_touch_new_ones(repository: Path) -> None:
    """A new one gets the descriptor of one that has just been closed."""
    with one_worker(repository, "--idle-timeout", "2") as server:
        until = time.monotonic() + 6
        with contextlib.ExitStack() as stack:
            while time.monotonic() < until:
                for _ in range(5):
                    stack.enter_context(Raw(server))
                for _ in range(40):
                    assert server.request("GET", "/v2/health/ready").status == 200


def test_the_longest_idle_connection_makes_room(repository: Path) -> None:
    limited = one_worker(repository, "--max-connections", "2")
    with limited as server, Raw(server) as first, Raw(server) as second:
        assert first.health() == 200
        assert second.health() == 200
        time.sleep(1.2)
        assert second.health() == 200
        with Raw(server) as third:
            assert third.health() == 200
            assert first.answer()[0] == 0
            assert second.health() == 200
            assert third.health() == 200


def test_past_the_limit_a_connection_gets_health_but_no_inference(
    repository: Path, digits: Digits
) -> None:
    with one_worker(repository, "--max-connections", "1") as server, Raw(server) as busy:
        busy.announce(10_000)
        with Raw(server) as client:
            client.send(b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
            status, head, _ = client.answer()
            assert (status, "Connection: close" in head) == (200, True)
        answer = server.predict({"image": digits.images[0].tolist()})
        assert answer.status == 429
        assert answer.headers["Retry-After"] == "1"
        assert answer.json() == {"error": "busy: too many connections"}
        busy.send(json.dumps({"image": digits.images[0].tolist()}).encode().ljust(10_000))
        assert busy.answer()[2]["prediction"] == 7
    with one_worker(repository, "--max-connections", "1") as server:
        assert server.predict({"image": digits.images[0].tolist()}).status == 200


def is_dropped(client: Raw) -> bool:
    try:
        client.send(HEAD)
        return client.answer()[0] == 0
    except (ConnectionResetError, BrokenPipeError):
        return True


def is_ready(server: Server) -> bool:
    try:
        return server.request("GET", "/v2/health/ready").status == 200
    except ConnectionError:
        return False


def test_far_too_many_connections_are_dropped(repository: Path) -> None:
    with one_worker(repository, "--max-connections", "1") as server:
        with ExitStack() as opened:
            for _ in range(33):
                opened.enter_context(Raw(server)).send(HEAD)
            for _ in range(5):
                assert is_dropped(opened.enter_context(Raw(server)))
        assert eventually(lambda: is_ready(server))


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_together_take_bounded_memory(
    repository: Path, digits: Digits, chunked: bool
) -> None:
    document = json.dumps({"image": digits.images[0].tolist()}).encode()
    with one_worker(repository, "--max-inflight-bytes", "1000000") as server:
        with Raw(server) as first, Raw(server) as second:
            first.announce(900_000)
            assert server.predict({"image": digits.images[0].tolist()}).status == 200
            if chunked:
                second.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n30d40\r\n" + b" " * 200_000)
            else:
                second.announce(900_000)
            status, head, body = second.answer()
            assert (status, "Retry-After: 1" in head) == (429, True)
            assert body == {"error": "busy: other requests take the memory that this body needs"}
            first.send(document.ljust(900_000))
            assert first.answer()[2]["prediction"] == 7
        with Raw(server) as alone:
            alone.announce(2_000_000)
            alone.send(document.ljust(2_000_000))
            assert alone.answer()[2]["prediction"] == 7


def test_says_when_the_system_allows_too_few_connections(repository: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    done = run(sys.executable, "-m", "serve", "--models", repository, "--max-connections", hard + 1)
    assert (done.returncode, done.stdout) == (1, "")
    said = after_kernel_warning(done.stderr)
    assert said.startswith(f"serve: --max-connections {hard + 1} needs {hard + 97} file")


def test_more_connections_than_the_soft_limit_allows(repository: Path) -> None:
    command = [sys.executable, "-m", "serve", "--models", str(repository), "--workers", "1"]
    server = Server()
    server.command = ["sh", "-c", 'ulimit -Sn 128; exec "$@"', "sh", *command, "--port", "0"]
    with server, ExitStack() as opened:
        clients = [opened.enter_context(Raw(server)) for _ in range(150)]
        assert [client.health() for client in clients] == [200] * 150


def test_a_client_that_reads_no_answer_holds_up_nobody(repository: Path) -> None:
    """More answers than any buffer takes, to requests of a few packets."""
    with one_worker(repository) as server, Raw(server) as greedy, Raw(server) as other:
        assert other.health() == 200
        for _ in range(8):
            greedy.send(b"GET /metrics HTTP/1.1\r\n\r\n" * 10_000)
            assert other.health() == 200
        for _ in range(20):
            assert other.health() == 200
            time.sleep(0.1)


def test_an_empty_line_after_a_request_is_no_request(repository: Path) -> None:
    with one_worker(repository, "--header-timeout", "0.3") as server, Raw(server) as client:
        assert client.health() == 200
        client.send(b"\r\n")
        time.sleep(2.5)
        assert client.health() == 200


def test_what_comes_after_a_refused_head_is_not_refused_again(repository: Path) -> None:
    with one_worker(repository, "--header-timeout", "0.3", "--max-body-bytes", "10") as server:
        with Raw(server) as client:
            client.send(HEAD + b"Content-Length: 99\r\n\r\n" + b"x" * 50)
            assert client.answer()[0] == 413
            time.sleep(2.5)
        _, _, log = server.end(signal.SIGTERM)
    assert [json.loads(line)["status"] for line in log.splitlines()] == [413]


def test_no_body_is_asked_for_where_there_is_none(server: Server) -> None:
    with Raw(server) as client:
        client.send(GET + b"Expect: 100-continue\r\n\r\n")
        assert client.answer()[0] == 200
