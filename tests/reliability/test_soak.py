"""Half a minute of everything at once; ``python -m tests.reliability soak`` lasts an hour."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.models.plus import Plus
from tests.reliability.load import Load
from tests.reliability.soak import soak
from tests.servers.live import Server

MOST = 1.1
LEAK = """
import os, threading, time

def leak():
    while True:
        kept.append(bytearray(os.urandom(2**18)))
        kept.append(open("/dev/null"))
        time.sleep(0.1)

kept = []
os.register_at_fork(after_in_child=lambda: threading.Thread(target=leak, daemon=True).start())
"""


def test_memory_and_descriptors_stay_as_they_are(shared: Path) -> None:
    soaked = soak(shared, minutes=0.5)
    assert soaked.problems == []
    assert soaked.versions == 21
    assert soaked.attacks > 100
    memory, descriptors = soaked.grown
    assert memory < MOST
    assert descriptors < MOST


def test_a_server_that_leaks_is_found(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(LEAK)
    memory, descriptors = soak(shared, minutes=0.1, PYTHONPATH=str(tmp_path)).grown
    assert memory > MOST
    assert descriptors > MOST


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[1], 5000), max(before[1], 5000)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def slow_clients(port: int, count: int) -> Iterator[None]:
    """Send a byte of a head every half second, each."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    ended = Event()
    with ExitStack() as opened:
        address = ("127.0.0.1", port)
        clients = [opened.enter_context(socket.create_connection(address)) for _ in range(count)]

        def drip() -> None:
            for place in range(len(head)):
                for client in clients:
                    client.send(head[place : place + 1])
                if ended.wait(0.5):
                    return

        thread = Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@pytest.mark.usefixtures("many_descriptors")
def test_idle_and_slow_clients_do_not_starve_others(
    swapped_repository: Path, tmp_path: Path
) -> None:
    Plus(swapped_repository, tmp_path).publish(1)
    options = ("--workers", "2", "--max-connections", "2000")
    with Server("--models", str(tmp_path), *options) as server, ExitStack() as idle:
        for _ in range(2000):
            idle.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        with slow_clients(server.port, 200), Load(server.port) as load:
            time.sleep(3)
            load.goes_on(200)
    assert (load.wrong, load.failed) == ([], [])
