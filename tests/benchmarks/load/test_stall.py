"""A server, or the load generator itself, that stands still for a second."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.benchmarks.load.headless_locust import locust, wait_until_it_sends
from tests.servers.live import Server

RATE = 200
OPEN = ("Open", "--rate", str(RATE), "--rows", "1")
LATE_MICROSECONDS = 500_000


def server_processes(server: Server) -> list[psutil.Process]:
    main = psutil.Process(server.process.pid)
    return [main, *main.children(recursive=True)]


def generator_processes(_: Server) -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "locust" in child.cmdline()]


def stall(server: Server, found: Callable[[Server], list[psutil.Process]]) -> None:
    """Within the five seconds that are measured, which begin half a second after the start."""
    wait_until_it_sends(server)
    time.sleep(1.5)
    processes = found(server)
    for process in processes:
        process.suspend()
    time.sleep(1)
    for process in processes:
        process.resume()


@pytest.mark.parametrize(
    ("load", "found", "late"),
    [
        (OPEN, server_processes, (0.3 * RATE, math.inf)),
        (OPEN, generator_processes, (0.3 * RATE, math.inf)),  # sent late, but due earlier
        (("Predict1",), server_processes, (1, 5)),  # a closed user has one request under way
    ],
)
def test_an_open_load_counts_everything_that_was_due_meanwhile(
    load: tuple[str, ...],
    found: Callable[[Server], list[psutil.Process]],
    late: tuple[float, float],
    repository: Path,
    tmp_path: Path,
) -> None:
    with Server("--models", str(repository)) as server:
        stalling = threading.Thread(target=stall, args=(server, found))
        stalling.start()
        host = f"http://127.0.0.1:{server.port}"
        users = ("-u", "1", "-r", "1", "--measure", "5")
        stats, _ = locust(host, repository, *users, *load, folder=tmp_path)
        stalling.join()
    (one,) = stats.by_request.values()
    assert one.failures == 0
    slow = sum(
        item.count_at_value_iterated_to
        for item in one.latencies.get_recorded_iterator()
        if item.value_iterated_to > LATE_MICROSECONDS
    )
    assert late[0] <= slow <= late[1]
