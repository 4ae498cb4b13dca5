"""What the connections of a server take together, counted in this process."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from serve import command_line
from serve.http.connection import Connection
from serve.http.poller import Poller
from serve.http.request import Request
from serve.http.server import Server

RESET = struct.pack("ii", 1, 0)
POST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"


class Kept:
    """Answers nothing, and keeps what came."""

    def __init__(self) -> None:
        self.requests: list[tuple[Request, Connection]] = []

    def check(self, request: Request, connection: Connection) -> None:
        return None

    def handle(self, request: Request, connection: Connection) -> None:
        self.requests.append((request, connection))


class Running:
    """A server and its clients, in one process."""

    def __init__(self) -> None:
        self.closed = 0
        self.poller = Poller()
        request_metrics: Any = SimpleNamespace(count_rejections=lambda reason: None)
        self.server = Server(command_line.load([], {}), self.poller, request_metrics, self._count)
        self.kept = self.server.dispatcher = Kept()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._clients: list[socket.socket] = []

    def _count(self) -> None:
        self.closed += 1

    def connect(self) -> socket.socket:
        client = socket.create_connection(self._listener.getsockname())
        self._clients.append(client)
        self.server.take(self._listener.accept()[0])
        return client

    def turn(self) -> None:
        """Handle what has come; over loopback it is there at once."""
        self.server.begin_turn()
        self.poller.handle(self.poller.poll(1))
        self.server.proceed()

    def end(self) -> None:
        for connection in list(self.server.connections):
            connection.close()
        for opened in (self._listener, *self._clients):
            opened.close()


@pytest.fixture
def running() -> Iterator[Running]:
    started = Running()
    yield started
    started.end()
    assert started.server.body_bytes == 0


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()


def test_a_body_is_counted_from_its_head_until_its_answer(running: Running) -> None:
    client = running.connect()
    client.sendall(POST % 100_000)
    running.turn()
    assert running.server.body_bytes == 100_000
    client.sendall(b" " * 100_000 + POST % 3 + b"abc")
    while not running.kept.requests:
        running.turn()
    ((request, connection),) = running.kept.requests
    assert (len(request.body), running.server.body_bytes) == (100_000, 100_000)
    connection.send(b"answer", keep_alive=True)
    assert running.server.body_bytes == 0
    running.turn()
    assert running.kept.requests[1][0].body == b"abc"
    assert running.server.body_bytes == 3


def test_an_answer_is_counted_until_it_is_sent(running: Running) -> None:
    client = running.connect()
    client.sendall(POST % 3 + b"abc")
    running.turn()
    ((_, connection),) = running.kept.requests
    answer = b"x" * 2**25  # more than the sockets of both sides hold
    connection.send(answer, keep_alive=True)
    assert 2**20 < running.server.body_bytes < len(answer)
    received = 0
    while received < len(answer):
        received += len(client.recv(2**20))
        running.turn()
    assert running.server.body_bytes == 0


CHUNKED = POST.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    "pieces",
    [
        (POST % 6 + b"[1, 2]",),
        (POST % 6, b"[1, ", b"2]"),
        (POST % 6 + b"[1, 2]" + POST % 9,),
        (CHUNKED + b"6\r\n[1, 2]\r\n0\r\n\r\n",),
        (CHUNKED, b"3\r\n[1,\r\n3\r\n 2", b"]\r\n0\r\n\r\n"),
    ],
)
def test_a_body_is_bytes_however_it_comes(running: Running, pieces: tuple[bytes, ...]) -> None:
    """Nothing else is taken by C functions that ctypes calls, as those of the number kernel."""
    client = running.connect()
    for piece in pieces:
        client.sendall(piece)
        running.turn()
    ((request, connection),) = running.kept.requests
    assert (type(request.body), request.body) == (bytes, b"[1, 2]")
    connection.close()


def half_close(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("ends", [reset, socket.socket.close, half_close])
def test_a_client_that_goes_while_it_waits_is_counted_once(running: Running, ends: Any) -> None:
    client = running.connect()
    client.sendall(POST % 7 + b"1234567")
    running.turn()
    ((_, connection),) = running.kept.requests
    assert (running.server.body_bytes, connection.is_disconnected()) == (7, False)
    ends(client)
    running.turn()
    assert connection.is_disconnected()
    connection.send(b"too late", keep_alive=True)
    assert (running.server.body_bytes, running.closed) == (0, 1)
    assert running.server.connections == set()


def test_a_client_that_goes_in_the_middle_of_a_body(running: Running) -> None:
    for head in (POST % 9, CHUNKED):
        client = running.connect()
        client.sendall(head + b"5\r\n")
        running.turn()
        client.close()
        running.turn()
    assert (running.server.body_bytes, running.closed, running.kept.requests) == (0, 2, [])


def test_what_is_idle_is_not_asked_in_a_turn(running: Running) -> None:
    clients = [running.connect() for _ in range(100)]
    assert running.poller.poll(0) == []
    clients[7].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert len(running.poller.poll(1)) == 1
    running.turn()
    assert len(running.kept.requests) == 1


def test_a_connection_reads_no_further_while_a_request_waits(running: Running) -> None:
    client = running.connect()
    client.sendall(POST % 0)
    running.turn()
    client.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while sent < 2**25:
            sent += client.send(POST % 0 * 1000)
            running.poller.handle(running.poller.poll(0))
    (connection,) = running.server.connections
    assert len(running.kept.requests) == 1
    assert len(connection._pending) <= 65536 < sent < 2**25
    assert running.poller.poll(0) == []  # and costs nothing meanwhile
