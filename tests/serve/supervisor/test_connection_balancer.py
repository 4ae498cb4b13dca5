"""Connections that no worker takes are not closed in silence."""

import selectors
import socket
from collections.abc import Iterator

import pytest

from serve.processes.messages import ControlChannel, Message, MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.processes.worker_slot import WorkerSlot
from serve.supervisor.connection_balancer import ConnectionBalancer


def test_a_silent_worker_gets_connections_only_where_there_is_no_other(
    listener: socket.socket,
) -> None:
    pairs = [ControlChannel.pair() for _ in range(2)]
    busy, silent = (WorkerProcess(ours, WorkerSlot(0, None), ready=True) for ours, _ in pairs)
    busy.connections, silent.is_silent = 100, True
    with selectors.DefaultSelector() as selector:
        acceptor = ConnectionBalancer(listener, selector, [busy, silent])
        acceptor.accept_if_served(is_stopped=False)
        for expected in ([101, 0], [101, 1]):
            with socket.create_connection(listener.getsockname()):
                for key, _ in selector.select(10):
                    key.data()
            assert [busy.connections, silent.connections] == expected
            pairs[0][0].close()  # then only the silent one is left
    for _, theirs in pairs:
        while (message := received(theirs)) and message[2]:
            message[2].close()
        theirs.close()
    pairs[1][0].close()


def received(control: ControlChannel) -> Message | None:
    try:
        return control.receive()
    except BlockingIOError:
        return None


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def test_they_are_logged_and_counted_by_the_next_worker(
    listener: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    gone, theirs = ControlChannel.pair()
    theirs.close()
    living = [WorkerProcess(gone, WorkerSlot(0, None), ready=True)]
    with selectors.DefaultSelector() as selector:
        acceptor = ConnectionBalancer(listener, selector, living)
        acceptor.accept_if_served(is_stopped=False)
        for _ in range(3):
            with socket.create_connection(listener.getsockname()) as client:
                for key, _ in selector.select(10):
                    key.data()
                client.settimeout(10)
                assert client.recv(1) == b""
        acceptor.report()  # to nobody as yet
        assert caplog.text == ""
        ours, theirs = ControlChannel.pair()
        living.append(WorkerProcess(ours, WorkerSlot(1, None), ready=True))
        acceptor.report()
        message = theirs.receive()
        assert message
        assert message[:2] == (MessageKind.DROPPED, "3")
        assert "closed 3 connections that no worker took" in caplog.text
        acceptor.report()
        with pytest.raises(BlockingIOError):
            theirs.receive()
    for control in (gone, ours, theirs):
        control.close()
