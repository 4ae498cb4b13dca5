"""Connections as clients may use and misuse them, over raw sockets."""

import contextlib
import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.processes import eventually, workers
from tests.servers.raw_client import GET, HEAD, Client, connections, exchange, one_worker

NOWHERE = b"POST /v2/models/cats/infer HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server) as opened:
        yield opened


@pytest.fixture
def predict(digits: Digits) -> bytes:
    body = json.dumps({"image": digits.images[0].tolist()}).encode()
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


SMUGGLED = b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX", 400),
        (HEAD + b"Content-Length: 0\r\nContent-Length: 46\r\n\r\n", 400),
        (HEAD + b"Content-Length: +0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501),
        (HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\n\r\nx\r\n0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", 413),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX : 1\r\n\r\n", 400),
        (HEAD + b"X: a\r\n folded\r\n\r\n", 400),
        (HEAD + b"X: a\0b\r\n\r\n", 400),
        (HEAD + b"Host: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (GET + b"X: 1\r\n" * 100 + b"\r\n", 431),
        (GET + b"X: " + b"a" * 20_000, 431),
        (GET + b"Expect: a miracle\r\n\r\n", 417),
    ],
)
def test_after_what_is_refused_nothing_is_taken_for_a_request(
    server: Server, request_: bytes, status: int
) -> None:
    head, body = exchange(server, request_ + SMUGGLED)
    assert int(head.split()[1]) == status
    assert b"Connection: close" in head
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length
    assert len(body) == int(length[1])  # and no second answer
    assert json.loads(body)["error"]


def test_pipelined_requests_are_answered_in_order(client: Client, predict: bytes) -> None:
    sent = []
    for number in range(60):
        head, _, body = predict.partition(b"\r\n\r\n")
        one = [head, GET.strip()][number % 2] + b"\r\nX-Request-Id: %d\r\n\r\n" % number
        sent.append(one + body * (number % 2 == 0))
    client.send(b"".join(sent))
    for number in range(60):
        status, head, body = client.answer()
        assert (status, f"X-Request-Id: {number}\r\n" in head) == (200, True)
        assert json.loads(body).get("prediction") == (7 if number % 2 == 0 else None)


def test_a_request_byte_by_byte(client: Client, predict: bytes) -> None:
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in predict + predict:
        client.send(bytes([byte]))
    assert [json.loads(client.answer()[2])["prediction"] for _ in range(2)] == [7, 7]


def test_a_client_that_sends_ahead_and_reads_nothing_is_read_no_further(
    repository: Path, predict: bytes
) -> None:
    with one_worker(repository) as server, Client(server) as greedy:
        request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        greedy.socket.settimeout(2)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 2**28:
                sent += greedy.socket.send(request * 1000)
        assert sent < 2**28  # what sockets hold, and not what the server would
        with Client(server) as other:
            other.send(predict)
            assert other.answer()[0] == 200
        status = Path(f"/proc/{workers(server)[0]}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert peak
        assert int(peak[1]) < 200_000
        greedy.socket.settimeout(30)
        for _ in range(200):
            assert greedy.answer()[0] == 200


def test_who_does_not_read_an_answer_is_closed(repository: Path) -> None:
    with one_worker(repository, "--idle-timeout", "1") as server, Client(server) as client:
        client.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        assert eventually(lambda: connections(server) == 0)
        answered = 0
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                assert client.answer()[0] == 200
                answered += 1
        assert 0 < answered < 1000


def test_a_body_is_asked_for(client: Client, predict: bytes) -> None:
    head, _, body = predict.partition(b"\r\n\r\n")
    client.send(head + b"\r\nExpect: 100-Continue\r\n\r\n")
    assert client.answer() == (100, "HTTP/1.1 100 Continue\r\n\r\n", b"")
    client.send(body)
    assert json.loads(client.answer()[2])["prediction"] == 7


def test_a_body_that_comes_unasked_is_not_asked_for(client: Client, predict: bytes) -> None:
    head, _, body = predict.partition(b"\r\n\r\n")
    client.send(head + b"\r\nExpect: 100-continue\r\n\r\n" + body)
    assert client.answer()[0] == 200


@pytest.mark.parametrize(
    "more",
    [
        b"Content-Length: 10\r\nExpect: 100-continue\r\n",
        b"Content-Length: 1000000\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ],
)
def test_a_body_is_not_waited_for_where_the_head_says_enough(client: Client, more: bytes) -> None:
    client.send(NOWHERE + more + b"\r\n")
    status, head, body = client.answer()
    assert (status, "Connection: close" in head) == (404, True)
    assert json.loads(body)["error"].startswith("no model 'cats'")
    client.send(b" " * 5_000_000)  # is thrown away, and resets nothing
    assert client.ends()


def test_a_short_body_is_waited_for_and_the_connection_stays(client: Client) -> None:
    for _ in range(2):
        client.send(NOWHERE + b"Content-Length: 10\r\n\r\n")
        client.send(b" " * 10)
        status, head, _ = client.answer()
        assert (status, "Connection:" in head) == (404, False)


def test_a_key_is_asked_for_before_the_body(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("0" * 64 + " somebody\n")
    guarded = one_worker(repository, "--api-keys", str(tmp_path / "keys"))
    with guarded as server, Client(server) as client:
        client.send(HEAD + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n")
        assert client.answer()[0] == 401


def test_a_client_that_has_sent_all_gets_its_answer(server: Server, predict: bytes) -> None:
    def status(request: bytes) -> int:
        with Client(server) as client:
            client.send(request)
            client.socket.shutdown(socket.SHUT_WR)
            answered = client.answer()[0]
            assert client.ends()
            return answered

    # On a busy machine it may have to wait, and is then taken for a client that is gone.
    for request in (predict, GET + b"\r\n"):
        assert eventually(lambda request=request: status(request) == 200)


@pytest.mark.parametrize("begin", [b"", b"GET /v2", HEAD + b"Content-Length: 9\r\n\r\n1"])
def test_half_a_request_gets_no_answer(client: Client, begin: bytes) -> None:
    client.send(begin)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.ends()


def test_http_1_0(server: Server, predict: bytes) -> None:
    old = predict.replace(b"HTTP/1.1", b"HTTP/1.0")
    with Client(server) as client:
        client.send(old.replace(b"Host: x", b"Connection: Keep-Alive") + old)
        status, head, _ = client.answer()
        assert (status, "Connection: Keep-Alive" in head) == (200, True)
        assert head.startswith("HTTP/1.0 200 OK\r\n")
        status, head, _ = client.answer()
        assert (status, "Connection: close" in head) == (200, True)
        assert client.ends()


@pytest.mark.parametrize("path", [b"/predict", b"/v2/health/live"])
def test_the_client_may_end_the_connection(client: Client, predict: bytes, path: bytes) -> None:
    request = predict if path == b"/predict" else GET + b"\r\n"
    client.send(request.replace(b"Host: x", b"Host: x\r\nConnection: close", 1) + request)
    status, head, _ = client.answer()
    assert (status, "Connection: close" in head) == (200, True)
    assert client.ends()


def test_head_requests_get_no_body(client: Client) -> None:
    client.send(b"HEAD /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n" + GET + b"\r\n")
    status, head, _ = client.answer(has_body=False)
    assert (status, "Content-Length: 13" in head) == (200, True)
    assert client.answer()[2] == b'{"live":true}'


def test_a_target_with_scheme_and_host(client: Client, predict: bytes) -> None:
    client.send(predict.replace(b"/predict", b"http://x/predict"))
    assert json.loads(client.answer()[2])["prediction"] == 7
    client.send(GET.replace(b"/v2", b"http://x/v2") + b"\r\n")
    assert client.answer()[2] == b'{"live":true}'


def test_a_body_in_chunks_for_inference_and_for_flask(client: Client, predict: bytes) -> None:
    body = predict.partition(b"\r\n\r\n")[2]
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    chunks = b"%x;a=b\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n"
    halves = (len(body[:100]), body[:100], len(body[100:]), body[100:])
    client.send(HEAD + chunked + chunks % halves)
    assert json.loads(client.answer()[2])["prediction"] == 7
    index = b"POST /v2/repository/index HTTP/1.1\r\nHost: x\r\n"
    client.send(index + chunked + chunks % (2, b"{ ", 1, b"}") + index + chunked + b"0\r\n\r\n")
    for _ in range(2):
        assert json.loads(client.answer()[2])[0]["name"] == "mnist"


def test_what_is_sent_ahead_of_the_end_costs_no_answer(repository: Path, predict: bytes) -> None:
    """The answer says that the connection ends; what was sent ahead is the client's to repeat."""
    with one_worker(repository) as server, Client(server) as client, Client(server) as idle:
        idle.send(GET + b"\r\n")
        assert idle.answer()[0] == 200
        client.send(predict)
        assert client.answer()[0] == 200
        client.send(predict[:-1])
        server.process.send_signal(signal.SIGTERM)
        assert idle.ends()  # which a worker does once it is to end
        client.send(predict[-1:] + predict)
        status, head, _ = client.answer()
        assert (status, "Connection: close" in head) == (200, True)
        assert client.ends()
        assert server.process.wait(30) == 0
