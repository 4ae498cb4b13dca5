"""Worker processes, seen from the supervisor: how one is started, and what is known of it."""

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from serve.control import Control, Kind
from serve.settings import Settings
from serve.worker import Place, Worker

log = logging.getLogger("serve")


@dataclass(eq=False)
class Child:
    """One worker."""

    pid: int
    control: Control
    place: Place
    replaces: "Child | None" = None
    """The worker that it stands in for, which drains once this one is ready."""
    started: float = field(default_factory=time.monotonic)
    ready: bool = False
    draining: bool = False
    connections: int = 0
    reason: str = "it ended before it was ready"
    """Why it can't serve."""

    def drain(self) -> None:
        """Have it finish what it has."""
        self.draining = True
        self.control.send(Kind.DRAIN)

    def reap(self) -> str:
        """Wait for its end, which has come or is about to; returns how it ended."""
        _, status = os.waitpid(self.pid, 0)
        self.control.close()
        if os.WIFSIGNALED(status):
            return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
        return f"ended with status {os.WEXITSTATUS(status)}"


def fork(
    settings: Settings,
    address: tuple[str, int],
    folder: Path,
    place: Place,
    inherited: Iterable[Callable[[], None]],
) -> Child:
    """Start a worker in a fork of this process, whose packages it then shares.

    The supervisor has one thread and no onnxruntime session, so that the fork is safe.

    Args:
        settings: of the service.
        address: that clients see.
        folder: where all workers keep their metrics.
        place: what the worker has to itself.
        inherited: closes what the worker must not hold: the listening socket, which would stay
            open, and the ends of other workers, which would not notice the supervisor's end.

    """
    ours, theirs = Control.pair()
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()  # the collector leaves shared objects alone, so that their pages stay shared
    pid = os.fork()
    if pid:
        theirs.close()
        return Child(pid, ours, place)
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the supervisor says when to end
        for close in (ours.close, *inherited):
            close()
        status = Worker(settings, theirs.on_top(), address, folder).run(place)
    except BaseException:
        log.exception("worker %s failed", os.getpid())
    finally:
        os._exit(status)
