"""Connections that no worker takes are not closed in silence."""

import selectors
import socket
from collections.abc import Iterator

import pytest

from serve.acceptor import Acceptor
from serve.children import Child
from serve.control import Control, Kind
from serve.place import Place


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def test_they_are_logged_and_counted_by_the_next_worker(
    listener: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    gone, theirs = Control.pair()
    theirs.close()
    children = [Child(gone, Place(0, None), ready=True)]
    with selectors.DefaultSelector() as selector:
        acceptor = Acceptor(listener, selector, children)
        acceptor.accept_if_served(is_stopped=False)
        for _ in range(3):
            with socket.create_connection(listener.getsockname()) as client:
                for key, _ in selector.select(10):
                    key.data()
                client.settimeout(10)
                assert client.recv(1) == b""
        acceptor.report()  # to nobody as yet
        assert caplog.text == ""
        ours, theirs = Control.pair()
        children.append(Child(ours, Place(1, None), ready=True))
        acceptor.report()
        message = theirs.receive()
        assert message
        assert message[:2] == (Kind.LOST, "3")
        assert "closed 3 connections that no worker took" in caplog.text
        acceptor.report()
        with pytest.raises(BlockingIOError):
            theirs.receive()
    for control in (gone, ours, theirs):
        control.close()
