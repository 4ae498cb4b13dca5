"""The supervisor and its workers: shared load, deaths, restarts and the end."""

import http.client
import json
import os
import shutil
import signal
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.processes import (
    DEADLINE,
    alive,
    are_replaced,
    eventually,
    may_be_lost,
    processes,
    sockets,
    workers,
)
from tests.servers.steady_clients import Clients


def shares(server: Server, connections: int) -> list[int]:
    """How many of so many connections each worker gets, where there are no others."""
    # One is the worker's own, to the supervisor.
    assert eventually(lambda: sockets(server) == [1, 1])
    held = [http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(connections)]
    for connection in held:
        connection.request("GET", "/v2/health/live")
        connection.getresponse().read()
    counts = [count - 1 for count in sockets(server)]
    for connection in held:
        connection.close()
    return counts


def are_shared_evenly(server: Server, connections: int) -> bool:
    """Is it so, once the supervisor has heard which connections were closed before?

    It counts a connection until its worker has told that it is closed, which may be after the
    next has come.
    """
    half = connections // 2
    return eventually(lambda: shares(server, connections) == [half, half])


def test_a_few_connections_are_shared_evenly(server: Server) -> None:
    assert are_shared_evenly(server, 4)
    assert are_shared_evenly(server, 8)


def test_closed_connections_are_forgotten(server: Server) -> None:
    for _ in range(51):
        server.request("GET", "/v2/health/live")
    assert are_shared_evenly(server, 4)


def test_a_killed_worker_is_replaced_and_costs_only_what_it_held(
    server: Server, digits: Digits
) -> None:
    before = workers(server)
    with Clients(server, digits) as clients:
        may_fail = may_be_lost(server, 0)
        os.kill(before[0], signal.SIGKILL)
        assert eventually(lambda: are_replaced(server, before[0]))
        answered = clients.answered
        assert eventually(lambda: clients.answered > answered + 200)
    assert len(clients.failures) <= may_fail  # the other worker's clients lost nothing
    assert before[1] in workers(server)
    _, _, log = server.end(signal.SIGTERM)
    assert f"worker {before[0]} was ended by SIGKILL; another one starts" in log


def test_workers_end_when_the_supervisor_is_killed(server: Server) -> None:
    pids = workers(server)
    server.process.kill()
    assert eventually(lambda: not any(alive(pid) for pid in pids))


def test_no_accepted_request_is_lost_at_the_end(server: Server, digits: Digits) -> None:
    with Clients(server, digits) as clients:
        assert server.end(signal.SIGTERM) == (0, "ended\n", "")
    assert clients.failures == []


def test_not_ready_while_load_balancers_notice(repository: Path, digits: Digits) -> None:
    with Server("--models", str(repository), "--drain-delay", "6") as server:
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: server.request("GET", "/v2/health/ready").status == 503)
        assert server.request("GET", "/v2/health/live").status == 200
        assert server.predict({"image": digits.images[0].tolist()}).json()["prediction"] == 7
        out, err = server.process.communicate(timeout=DEADLINE)
        assert (server.process.returncode, out) == (0, "ended\n")
        assert {json.loads(line)["status"] for line in err.splitlines()} == {503}


def test_a_second_signal_ends_at_once(repository: Path) -> None:
    with Server("--models", str(repository), "--drain-delay", "60") as server:
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: server.request("GET", "/v2/health/ready").status == 503)
        status, _, log = server.end(signal.SIGTERM)
    assert status == 1
    assert "stopped at once; requests in flight are lost" in log


def test_sighup_restarts_the_workers_without_a_lost_request(server: Server, digits: Digits) -> None:
    before = set(workers(server))
    with Clients(server, digits) as clients:
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: are_replaced(server, *before))
        answered = clients.answered
        assert eventually(lambda: clients.answered > answered + 100)
    assert clients.failures == []


def test_a_worker_that_stood_in_for_another_is_replaced_like_any(server: Server) -> None:
    before = set(workers(server))
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: are_replaced(server, *before))
    killed = workers(server)[0]
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: are_replaced(server, killed))


def test_workers_that_die_during_a_restart_are_replaced_once(
    server: Server, digits: Digits
) -> None:
    for _ in range(20):
        before = set(workers(server))
        server.process.send_signal(signal.SIGHUP)
        # With a third worker the first successor has loaded its model, and is ready in a few
        # milliseconds. On a busy machine all this can be over before it is seen.
        assert eventually(
            lambda before=before: len(now := workers(server)) == 3 or not before & {*now}, pause=0
        )
        if len(workers(server)) == 3:
            break
        assert eventually(lambda before=before: are_replaced(server, *before))
    for pid in before:
        with suppress(ProcessLookupError):  # it has been replaced already
            os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: are_replaced(server, *before))
    time.sleep(1)  # for workers too many to appear
    assert len(workers(server)) == 2
    assert server.predict({"image": digits.images[0].tolist()}).json()["prediction"] == 7
    before = set(workers(server))
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: are_replaced(server, *before))


def test_a_restart_that_fails_leaves_the_old_workers(
    repository: Path, tmp_path: Path, digits: Digits
) -> None:
    models = shutil.copytree(repository, tmp_path / "models")
    with Server("--models", str(models), "--workers", "2") as server:
        before = workers(server)
        (models / "mnist/1/model.onnx").write_bytes(b"damaged")
        server.process.send_signal(signal.SIGHUP)
        assert server.process.stderr
        line = server.process.stderr.readline()
        if line.startswith("serve: not served: "):  # the look at the repository was quicker
            line = server.process.stderr.readline()
        assert line.startswith("serve: restart cancelled, the old workers continue: ")
        assert "checksum mismatch" in line
        assert eventually(lambda: processes(server) == before)
        assert server.predict({"image": digits.images[0].tolist()}).json()["prediction"] == 7


def test_clients_that_go_at_once_do_no_harm(server: Server, digits: Digits) -> None:
    before = workers(server)
    for _ in range(200):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # with a reset
    assert server.predict({"image": digits.images[0].tolist()}).json()["prediction"] == 7
    assert are_shared_evenly(server, 4)
    assert workers(server) == before


def test_gives_up_on_workers_that_do_not_start(repository: Path, tmp_path: Path) -> None:
    """The repository is damaged under a running server: the workers that die can't come back."""
    models = shutil.copytree(repository, tmp_path / "models")
    with Server("--models", str(models), "--workers", "1") as server:
        (models / "mnist/1/model.onnx").write_bytes(b"damaged")
        os.kill(workers(server)[0], signal.SIGKILL)
        out, log = server.process.communicate(timeout=DEADLINE)
    assert (server.process.returncode, out) == (1, "")
    assert log.splitlines()[-1].startswith("serve: ")
    assert "model.onnx: checksum mismatch" in log.splitlines()[-1]
