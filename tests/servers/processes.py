"""The processes of a server, as tests see them."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.servers.live import Server

DEADLINE = 90.0  # seconds; a test that waits longer has failed, also on a busy machine


def processes(server: Server) -> list[int]:
    """Process ids of the supervisor's children, zombies included."""
    path = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def workers(server: Server) -> list[int]:
    """Process ids of the workers: those who count what they do."""
    return [pid for pid in processes(server) if "/onnxlet-" in maps(pid)]


def maps(pid: int) -> str:
    """What a process has mapped into memory; nothing once it has ended."""
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""


def eventually(
    condition: Callable[[], bool], pause: float = 0.02, deadline: float = DEADLINE
) -> bool:
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(pause)
    return condition()


def state(pid: int) -> str:
    """R for a process that runs, T for one that is stopped, and so on (proc_pid_stat(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def alive(pid: int) -> bool:
    try:
        return state(pid) != "Z"
    except OSError:
        return False


def are_replaced(server: Server, *old: int) -> bool:
    """Are two workers there, and none of the old ones? It looks once: one may die meanwhile."""
    now = workers(server)
    return len(now) == 2 and not {*old} & {*now}


def is_socket(entry: Path) -> bool:
    try:
        return str(entry.readlink()).startswith("socket:")
    except FileNotFoundError:  # it has been closed meanwhile
        return False


def sockets(server: Server) -> list[int]:
    """How many sockets each worker has open."""
    folders = [Path(f"/proc/{pid}/fd") for pid in workers(server)]
    return [sum(is_socket(entry) for entry in folder.iterdir()) for folder in folders]


def may_be_lost(server: Server, worker: int) -> int:
    """How many requests may fail when a worker is killed: two of each of its clients.

    A client loses the one that it waits for. Linux closes the newest sockets of a killed process
    first, and the one to the supervisor last. A client that connects again within these
    microseconds may be handed to the process that is about to end, and loses another request.
    """
    return 2 * (sockets(server)[worker] - 1)  # one is to the supervisor
