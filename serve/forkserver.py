"""A process that imports what workers need and forks them, then ends.

The workers that it forks share the pages of their packages. Were the supervisor to import and
fork, it would keep the original of every page that they have written to since.
"""

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from serve.children import Child, Place
from serve.control import Control, Kind
from serve.settings import Settings

log = logging.getLogger("serve")

_PR_SET_CHILD_SUBREAPER = 36  # from Linux's prctl.h


def adopt_orphans() -> None:
    """Become the parent of the workers, which are forked by a child's child that has ended."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Forkserver:
    """The supervisor's side of it."""

    def __init__(
        self,
        settings: Settings,
        address: tuple[str, int],
        folder: Path,
        inherited: Iterable[Callable[[], None]],
    ) -> None:
        """Start one. The supervisor has a single thread, so that it may fork.

        Args:
            settings: of the service.
            address: that clients see.
            folder: where all workers keep their metrics.
            inherited: closes what workers must not hold: the listening socket, which would stay
                open, and the ends of other workers, which would not notice the supervisor's end.

        """
        self.control, theirs = Control.pair()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid:
            theirs.close()
            return
        status = 1
        try:
            for close in (self.control.close, *inherited):
                close()
            status = _serve(settings, address, folder, theirs)
        except BaseException:
            log.exception("process %s failed", os.getpid())
        finally:
            os._exit(status)

    def fork(self, place: Place) -> Child:
        """Have it fork a worker, which tells its process id in its first message."""
        ours, theirs = Control.pair()
        self.control.send(Kind.FORK, place.text(), theirs.socket)
        theirs.close()
        return Child(ours, place)

    def finish(self) -> None:
        """Have it end once it has forked all that it was asked for."""
        self.control.finish()

    def reap(self) -> None:
        """Wait for its end, which has come or is about to."""
        os.waitpid(self.pid, 0)
        self.control.close()


def _serve(settings: Settings, address: tuple[str, int], folder: Path, control: Control) -> int:
    """Fork until the supervisor finishes. Returns the exit status, in each worker as well."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the supervisor says when to end
    from serve.worker import Worker  # here, for the supervisor shall not import it

    gc.freeze()  # the collector leaves shared objects alone, so that their pages stay shared
    control.socket.setblocking(True)
    while message := control.receive():
        _, place, end = message
        if end is None:
            raise OSError("no file descriptors left")
        if _fork_orphan():
            control.close()
            worker = Control(end)
            worker.send(Kind.FORKED, str(os.getpid()))
            return Worker(settings, worker.on_top(), address, folder).run(Place.read(place))
        end.close()
    return 0


def _fork_orphan() -> bool:
    """Fork a process, which the supervisor adopts; True in that process."""
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        return False
    between = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == between:  # not adopted as yet
        time.sleep(0.0001)
    return True
