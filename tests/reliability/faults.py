"""What happens to a server, and what its clients may notice of it."""

import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from tests.models.plus import Plus
from tests.reliability.stage import Act, Stage
from tests.servers.live import Server, shared_folders
from tests.servers.plus_server import told
from tests.servers.processes import (
    alive,
    eventually,
    may_be_lost,
    processes,
    sockets,
    workers,
)

YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Fault:
    """Something that happens."""

    what: str
    act: Act


def kill_each_worker(on: Stage) -> None:
    for old in workers(on.server):
        on.may_fail += may_be_lost(on.server, workers(on.server).index(old))
        os.kill(old, signal.SIGKILL)
        on.fault_is_over()
        assert eventually(lambda old=old: old not in workers(on.server) and on.has_workers())
        on.load.goes_on()


def restart(on: Stage) -> None:
    old = {*workers(on.server)}
    on.server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: not old & {*workers(on.server)} and on.has_workers())
    on.fault_is_over()


def stop_a_worker(on: Stage) -> None:
    stopped = workers(on.server)[0]
    on.may_fail = may_be_lost(on.server, 0)
    os.kill(stopped, signal.SIGSTOP)
    assert eventually(lambda: not alive(stopped))  # the watchdog ends it
    on.fault_is_over()


def swap(on: Stage) -> None:
    for version in range(2, 62 if on.long else 7):
        on.plus.publish(version)
        assert on.change("load").status == 200
        on.load.newest = version
        on.load.goes_on(10)
        time.sleep(1 if on.long else 0)
    on.fault_is_over()


def corrupt(on: Stage) -> None:
    on.plus.publish(2, adds=7)
    assert eventually(lambda: "golden answers" in told(on.server, "2")[1])
    on.plus.corrupt(1)
    on.load.goes_on(300)
    assert on.load.versions.keys() == {1}
    on.plus.publish(3)
    on.fault_is_over()
    assert eventually(lambda: on.load.versions[3] > 100)


def delete_the_repository(on: Stage) -> None:
    shutil.rmtree(on.plus.folder)
    on.load.goes_on(300)
    on.plus.publish(1)
    on.fault_is_over()


def make_the_repository_read_only(on: Stage) -> None:
    """Whoever publishes is told; the server goes on, and serves what comes afterwards."""
    folders = (on.plus.folder, on.plus.folder / "plus")
    for folder in folders:
        folder.chmod(0o555)
    assert publish_with_permissions(on.plus, 2) == "Permission denied"
    assert on.change("load").status == 200
    on.load.goes_on(300)
    assert on.load.versions.keys() == {1}
    for folder in folders:
        folder.chmod(0o755)
    on.plus.publish(2)
    on.fault_is_over()
    assert eventually(lambda: on.load.versions[2] > 100)


def exhaust_descriptors(on: Stage) -> None:
    """Of workers and supervisor: nobody new is served, whoever is connected is."""
    pids = (on.server.process.pid, *workers(on.server))
    with limited(resource.RLIMIT_NOFILE, pids, 3):
        on.load.goes_on(300)
        for _ in range(5):
            try_to_ask(on.server)
    on.fault_is_over()


def exhaust_memory(on: Stage) -> None:
    """Of a worker's address space: it goes on without the connections that need more."""
    worker = workers(on.server)[0]
    on.may_fail = sockets(on.server)[0] - 1  # one is to the supervisor
    used = int(Path(f"/proc/{worker}/statm").read_text().split()[0]) * resource.getpagesize()
    large = b'{"images": [' + b",".join([b"[1, 2]"] * 1_000_000) + b"]}"
    with limited(resource.RLIMIT_AS, [worker], used + 2**22):
        for _ in range(6):
            try_to_ask(on.server, large)
    assert worker in workers(on.server)
    on.fault_is_over()


def change_the_clock(on: Stage) -> None:
    for version, offset in enumerate((YEAR, -YEAR, 0), 2):
        on.clock.write_text(str(offset))
        on.plus.publish(version)
        assert eventually(lambda version=version: on.load.versions[version] > 100)
        date = on.server.request("GET", "/v2/health/live").headers["Date"]
        assert abs(parsedate_to_datetime(date).timestamp() - time.time() - offset) < 60
    on.fault_is_over()


def kill_the_supervisor(on: Stage) -> None:
    """Its workers end by themselves; whatever runs the server starts another on the same port."""
    on.may_fail = math.inf
    others = processes(on.server)
    on.server.process.kill()
    on.server.process.communicate()
    assert eventually(lambda: not any(map(alive, others)))
    for folder in shared_folders(on.server.process.pid):
        shutil.rmtree(folder)
    on.server.command[-1] = str(on.server.port)
    on.fault_is_over()
    on.server.__enter__()


def publish_with_permissions(plus: Plus, version: int) -> str:
    """Publish as somebody for whom permissions count, as they do not for root; what it printed."""
    code = (
        "import sys; from pathlib import Path; from tests.models.plus import Plus\n"
        "try: Plus(Path(sys.argv[1]), Path(sys.argv[2])).publish(int(sys.argv[3]))\n"
        "except OSError as error: print(error.strerror)"
    )
    unprivileged = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override"]
    command = [*unprivileged, sys.executable, "-c", code, plus.repository, plus.folder, version]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@contextmanager
def limited(limit: int, pids: Sequence[int], soft: int) -> Iterator[None]:
    """Have a lower limit for processes (prlimit(2)) for a while."""
    before = {pid: resource.prlimit(pid, limit) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, limit, (soft, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            if alive(pid):
                resource.prlimit(pid, limit, limits)


def try_to_ask(server: Server, body: bytes = b'{"images": [[1, 2]]}') -> None:
    """Ask on a connection of its own, whatever comes of it."""
    subprocess.run(
        [
            "curl",
            "--silent",
            "--max-time",
            "1",
            "--data-binary",
            "@-",
            f"http://127.0.0.1:{server.port}/predict",
        ],
        input=body,
        capture_output=True,
        check=False,
    )


ALL = {
    "killed": Fault("each worker in turn is killed", kill_each_worker),
    "restart": Fault("SIGHUP restarts all workers", restart),
    "stopped": Fault("a worker is stopped (SIGSTOP) until it is ended", stop_a_worker),
    "swaps": Fault("a new version is loaded every second", swap),
    "corrupt": Fault("a version has a wrong graph, another altered files", corrupt),
    "deleted": Fault("the repository is deleted, and comes back", delete_the_repository),
    "read-only": Fault(
        "the repository becomes read-only for a while", make_the_repository_read_only
    ),
    "descriptors": Fault("no process may open a file or a connection", exhaust_descriptors),
    "memory": Fault("a worker may take no more memory", exhaust_memory),
    "clock": Fault("the clock is set ahead and back by a year", change_the_clock),
    "supervisor": Fault("the supervisor is killed, and started again", kill_the_supervisor),
}
