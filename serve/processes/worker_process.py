"""Worker processes, as the supervisor sees them."""

import os
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from serve.processes.messages import ControlChannel, MessageKind
from serve.processes.worker_slot import WorkerSlot


@dataclass(eq=False)
class WorkerProcess:
    """One worker."""

    control: ControlChannel
    place: WorkerSlot
    pid: int | None = None
    """None until it is forked and has said so."""
    replaces: "WorkerProcess | None" = None
    """The worker that it stands in for, which drains once this one is ready."""
    started: float = field(default_factory=time.monotonic)
    ready: bool = False
    plan: int = 0
    """Number of the plan that it serves."""
    missing: set[tuple[str, int]] = field(default_factory=set)
    """Names and numbers of what it can't load of that plan."""
    next_missing: set[tuple[str, int]] = field(default_factory=set)
    """The same of the plan that it is about to serve."""
    trouble: str = ""
    """Why it can't follow the newest plan, where it has said so."""
    drains_since: float | None = None
    connections: int = 0
    is_silent: bool = False
    """Has it not answered within a second when it was asked for a sign of life?"""
    reason: str = "a worker ended before it was ready"
    """Why it can't serve."""

    def __str__(self) -> str:
        return f"worker {self.pid}" if self.pid else "a worker"

    @property
    def draining(self) -> bool:
        """Does it only finish what it has?"""
        return self.drains_since is not None

    def drain(self) -> None:
        """Have it finish what it has."""
        self.drains_since = time.monotonic()
        self.control.send(MessageKind.DRAIN)

    def kill(self) -> None:
        """End it at once."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> str:
        """Wait for its end, which has come or is about to; returns how it ended."""
        self.control.close()
        return describe(reap(self.pid)) if self.pid else "could not be forked"


def reap(pid: int) -> int:
    """Wait for the end of a child process; returns its exit status, or less a signal's number."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:  # its process id was not known when it ended; see ``reap_others``
        return 0


def describe(status: int) -> str:
    """What ``reap`` returned, in words."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def reap_others(known: Collection[int]) -> None:
    """Let go of children that have ended and are not ``known``: orphans that were adopted."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        while (ended := os.waitid(os.P_ALL, 0, options)) and ended.si_pid not in known:
            os.waitpid(ended.si_pid, 0)
    except ChildProcessError:  # there is none at all
        return
