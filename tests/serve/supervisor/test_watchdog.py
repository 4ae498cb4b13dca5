"""A worker whose loop stands still is ended, and another takes its place."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from serve.processes.messages import ControlChannel, MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.processes.worker_slot import WorkerSlot
from serve.supervisor import watchdog
from serve.supervisor.watchdog import Watchdog
from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.processes import are_replaced, eventually, may_be_lost, workers
from tests.servers.steady_clients import Clients

SLEEPS = "import time; time.sleep(600)"
WORKS = "while True: pass"


class Process:
    """A process in a worker's place that does not answer."""

    def __init__(self, code: str) -> None:
        ours, self.theirs = ControlChannel.pair()
        self.process = subprocess.Popen([sys.executable, "-c", code])
        self.worker = WorkerProcess(ours, WorkerSlot(0, None), pid=self.process.pid, ready=True)

    def is_ended(self) -> bool:
        return self.process.poll() == -signal.SIGKILL


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Process]]:
    monkeypatch.setattr(watchdog, "CHECK_SECONDS", 0.1)  # in which a busy process counts ten ticks
    started = [Process(SLEEPS), Process(WORKS)]
    yield started
    for one in started:
        one.process.kill()
        one.process.wait()
        one.worker.control.close()
        one.theirs.close()


def watch(watching: Watchdog, turns: int, busy: Process | None = None) -> None:
    """Let the watchdog look so often; a busy process has always had a CPU for a while."""
    for _ in range(turns):
        before = cpu_seconds(busy)
        time.sleep(0.1)
        assert busy is None or busy.is_ended() or eventually(lambda b=before: cpu_seconds(busy) > b)
        watching.turn()


def cpu_seconds(process: Process | None) -> float:
    return watchdog._cpu_seconds(process.process.pid) if process else 0.0


def test_idle_and_silent_is_ended_but_busy_is_not(processes: list[Process]) -> None:
    idle, busy = processes
    watched = [idle.worker, busy.worker]
    watching = Watchdog(watched, timeout=600)
    watch(watching, 1, busy)
    assert not idle.worker.is_silent
    watch(watching, watchdog.MAX_IDLE_CHECKS - 1, busy)
    assert (idle.worker.is_silent, idle.is_ended()) == (True, False)
    assert eventually(lambda: watch(watching, 1, busy) or idle.is_ended())
    watched.remove(idle.worker)
    watch(watching, 10, busy)
    assert not busy.is_ended()
    received = busy.theirs.receive()
    assert received
    assert received[0] is MessageKind.PING


def test_busy_is_ended_once_no_request_may_take_longer(
    processes: list[Process], caplog: pytest.LogCaptureFixture
) -> None:
    _, busy = processes
    watching = Watchdog([busy.worker], timeout=0.2)
    assert eventually(lambda: watch(watching, 1, busy) or busy.is_ended())
    said = f"worker {busy.process.pid} has been busy for longer than the 0.2 s of --timeout"
    assert said in caplog.text


def test_who_answers_is_left_alone(processes: list[Process]) -> None:
    idle, _ = processes
    watching = Watchdog([idle.worker], timeout=0.1)
    for _ in range(20):
        watch(watching, 1)
        watching.answered(idle.worker)
    assert (idle.worker.is_silent, idle.is_ended()) == (False, False)


def test_a_stopped_worker_is_replaced(server: Server, digits: Digits) -> None:
    first, other = workers(server)
    with Clients(server, digits) as clients:
        may_fail = may_be_lost(server, 0)
        os.kill(first, signal.SIGSTOP)
        assert eventually(lambda: are_replaced(server, first))
    assert may_fail / 2 <= len(clients.failures) <= may_fail  # no answer, and then the end
    assert all("wrong" not in failure for failure in clients.failures)
    assert server.process.stderr
    said = server.process.stderr.readline()
    assert said.startswith(f"serve: worker {first} hangs: it answers no pings")
    assert "was ended by SIGKILL; another one starts" in server.process.stderr.readline()
    assert other in workers(server)
    assert server.predict({"image": digits.images[0].tolist()}).json()["prediction"] == 7
    metrics = server.request("GET", "/metrics").body.decode()
    assert "onnxlet_worker_restarts_total 1.0" in metrics


def test_a_restart_ends_although_an_old_worker_is_stopped(server: Server) -> None:
    before = workers(server)
    os.kill(before[0], signal.SIGSTOP)
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: are_replaced(server, *before))
