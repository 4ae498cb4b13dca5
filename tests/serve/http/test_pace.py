"""How long a client may take to read an answer."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from serve.http.connection import Connection
from serve.http.poller import Poller

IDLE_TIMEOUT, RATE = 10.0, 1000
ANSWER = bytes(4_000_000)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def test_an_answer_may_take_as_long_as_its_bytes_do(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    server: Any = SimpleNamespace(
        now=0.0,
        idle_timeout=IDLE_TIMEOUT,
        min_body_rate=RATE,
        poller=Poller(),
        body_bytes=0,
        find_room=lambda *_: True,
        forget=lambda _: None,
    )
    connection = Connection(server, pair[0], "client", over_limit=False)
    connection.send(ANSWER, keep_alive=True)
    for _ in range(2):
        sent = len(ANSWER) - len(connection._unsent)
        assert 0 < sent < len(ANSWER)
        latest = IDLE_TIMEOUT + sent / RATE
        connection.last_active = latest  # it reads, but too slowly
        connection.check_pace(latest - 1)
        assert not connection.is_closed
        pair[1].recv(10_000_000)
        connection.ready(0)
    connection.last_active = latest = IDLE_TIMEOUT + (len(ANSWER) - len(connection._unsent)) / RATE
    connection.check_pace(latest + 1)
    assert connection.is_closed
