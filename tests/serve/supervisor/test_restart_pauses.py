"""How long the supervisor waits before it starts another worker in place of one that died."""

import re
import selectors
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serve.processes.messages import ControlChannel
from serve.processes.worker_process import WorkerProcess
from serve.settings import Settings
from serve.supervisor.worker_restarts import STABLE_SECONDS, Workers


@pytest.fixture
def all_workers(tmp_path: Path) -> Iterator[Workers]:
    """One worker, which serves."""
    forkservers: Any = SimpleNamespace(
        fork=lambda *_: ControlChannel(socket.socket()), last_fault=lambda: ""
    )
    settings = Settings(workers=1, pin=False)
    with selectors.DefaultSelector() as selector:
        found = Workers(settings, selector, forkservers, tmp_path, lambda _: None)
        start(found)
        found.have_started = True
        yield found
        found.living[0].control.close()


def start(all_workers: Workers) -> WorkerProcess:
    """Start the worker that is due at some time, at once."""
    all_workers._due = [(0.0, cpu) for _, cpu in all_workers._due]
    all_workers.start_due()
    (worker,) = all_workers.living
    return worker


def pause_after(all_workers: Workers, age: float, caplog: Any, *, ready: bool) -> float:
    """Let the only worker die at an age in seconds; returns the pause before the next start."""
    (worker,) = all_workers.living
    worker.started = time.monotonic() - age
    worker.ready = ready
    all_workers.living.remove(worker)
    all_workers._selector.unregister(worker.control)
    worker.control.close()
    caplog.clear()
    all_workers._failed_starts = 0
    all_workers._replace(worker, "was ended by SIGKILL")
    start(all_workers)
    (pause,) = re.findall(r"another one starts in ([\d.]+) s", caplog.text)
    return float(pause)


def test_the_pause_grows_with_each_death(all_workers: Workers, caplog: Any) -> None:
    pauses = [pause_after(all_workers, 1, caplog, ready=True) for _ in range(9)]
    assert pauses == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]


def test_only_a_worker_that_served_for_long_ends_the_pauses(
    all_workers: Workers, caplog: Any
) -> None:
    for _ in range(3):
        pause_after(all_workers, 1, caplog, ready=True)
    # One that never served does not count as stable, however long it took to fail.
    assert pause_after(all_workers, STABLE_SECONDS + 1, caplog, ready=False) == 0.8
    assert pause_after(all_workers, STABLE_SECONDS + 1, caplog, ready=True) == 0
