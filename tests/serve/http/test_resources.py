"""What clients can't use up: CPU time, memory and descriptors."""

import os
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers.processes import eventually, workers
from tests.servers.raw_client import GET, HEAD, Client, connections, one_worker


def ticks(pid: int) -> int:
    """CPU time of a process, in ticks of the system's clock (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("begin", [b"", GET, HEAD + b"Content-Length: 70000\r\n\r\n{"])
def test_an_urgent_byte_does_not_keep_a_worker_busy(repository: Path, begin: bytes) -> None:
    with one_worker(repository) as server, Client(server) as client, Client(server) as other:
        client.send(begin)
        client.socket.send(b"!", socket.MSG_OOB)
        other.send(GET + b"\r\n")
        assert other.answer()[0] == 200  # by now the worker has seen the other, too
        (worker,) = workers(server)
        before = ticks(worker)
        time.sleep(1)
        assert ticks(worker) - before < os.sysconf("SC_CLK_TCK") / 4  # all of it, if it spun


def test_the_memory_of_bodies_that_never_came_is_free_again(repository: Path) -> None:
    with one_worker(repository, "--max-inflight-bytes", "1000000") as server:
        for more in (b"Content-Length: 900000\r\n", b"Transfer-Encoding: chunked\r\n"):
            for _ in range(5):
                with Client(server) as client:
                    client.send(HEAD + more + b"\r\n30d40\r\n" + b" " * 150_000)
                assert eventually(lambda: connections(server) == 0)
        with Client(server) as one, Client(server) as other:
            for client in (one, other):
                client.send(HEAD + b"Content-Length: 490000\r\n\r\n")
            for client in (one, other):
                client.send(b"{}".ljust(490_000))
                assert client.answer()[0] == 400  # the body was read, and asks for nothing


def test_connections_that_find_no_descriptor_are_dropped(repository: Path) -> None:
    with one_worker(repository) as server, ExitStack() as opened:
        (worker,) = workers(server)
        opened.enter_context(Client(server)).send(GET + b"\r\n")
        limits = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        # Descriptors have numbers from the lowest that is free; the new limit is below that.
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (5, limits[1]))
        with Client(server) as client:
            client.send(GET + b"\r\n")
            with pytest.raises((EOFError, ConnectionResetError)):
                client.answer()
        resource.prlimit(worker, resource.RLIMIT_NOFILE, limits)
        with Client(server) as client:
            client.send(GET + b"\r\n")
            assert client.answer()[0] == 200
        os.kill(worker, 0)
