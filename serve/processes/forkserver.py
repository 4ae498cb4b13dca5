"""A process that imports what workers need and forks them and trials, then ends.

The workers that it forks share the pages of their packages. Were the supervisor to import and
fork, it would keep the original of every page that they have written to since.
"""

import ctypes
import gc
import logging
import os
import selectors
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from selectors import BaseSelector

from serve.errors import StartError
from serve.processes import worker_process
from serve.processes.messages import ControlChannel, Message, MessageKind
from serve.settings import Settings

log = logging.getLogger("serve")

_PR_SET_CHILD_SUBREAPER = 36  # from Linux's prctl.h


def adopt_orphans() -> None:
    """Become the parent of the workers, which are forked by a child's child that has ended.

    Raises:
        StartError: the system does not let it.

    """
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1) != 0:
        raise StartError("the system refuses prctl(PR_SET_CHILD_SUBREAPER), which workers need")


Run = Callable[[Settings, tuple[str, int], Path, ControlChannel, Message], int]
"""What a forked process runs: with the settings, the address that clients see, the shared folder,
its control channel, and the message that asked for it. Returns the exit status."""


class Forkserver:
    """The supervisor's side of it."""

    def __init__(
        self,
        settings: Settings,
        address: tuple[str, int],
        folder: Path,
        inherited: Iterable[Callable[[], None]],
        load_code: Callable[[], Run],
    ) -> None:
        """Start one. The supervisor has a single thread, so that it may fork.

        Args:
            settings: of the service.
            address: that clients see.
            folder: where all workers keep their metrics.
            inherited: closes what workers must not hold: the listening socket, which would stay
                open, and the ends of other workers, which would not notice the supervisor's end.
            load_code: imports what forked processes need; returns what they run.

        """
        self.control, theirs = ControlChannel.pair()
        sys.stdout.flush()
        sys.stderr.flush()
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid:
            theirs.close()
            # A message is small, and waits only where hundreds of workers are asked for at once.
            self.control.socket.setblocking(True)
            return
        status = 1
        try:
            for close in (self.control.close, *inherited):
                close()
            status = _serve(settings, address, folder, theirs, load_code)
            if os.getppid() != supervisor:  # which was killed, perhaps before it asked for any
                shutil.rmtree(folder, ignore_errors=True)
        except BaseException:
            log.exception("forkserver or worker %s failed", os.getpid())
        finally:
            os._exit(status)

    def fork(self, kind: MessageKind, text: str) -> ControlChannel:
        """Have it fork a worker or a trial, which tells its process id in its first message."""
        ours, theirs = ControlChannel.pair()
        self.control.send(kind, text, theirs.socket)
        theirs.close()
        return ours

    def finish(self) -> None:
        """Have it end once it has forked all that it was asked for."""
        self.control.finish()

    def kill(self) -> None:
        """End it at once; what it was asked for and has not forked is not forked."""
        os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> int:
        """Wait for its end, which has come or is about to; see ``children.reap``."""
        self.control.close()
        return worker_process.reap(self.pid)


class Forkservers:
    """Those that live: at most one that takes orders, and others that are about to end."""

    def __init__(self, start: Callable[[], Forkserver], selector: BaseSelector) -> None:
        """Have none as yet.

        Args:
            start: starts one.
            selector: that the supervisor waits with; its data are functions to call.

        """
        self._start = start
        self._selector = selector
        self._current: Forkserver | None = None
        self._living: list[Forkserver] = []
        self._fault = ""

    @property
    def pids(self) -> set[int]:
        """Their process ids."""
        return {one.pid for one in self._living}

    def fork(self, kind: MessageKind, text: str) -> ControlChannel:
        """Have a process forked; see ``Forkserver.fork``."""
        if self._current is None:
            started = self._current = self._start()
            self._living.append(started)
            self._selector.register(
                started.control, selectors.EVENT_READ, lambda: self._ended(started)
            )
        return self._current.fork(kind, text)

    def finish(self) -> None:
        """Have none take orders any more: their memory is large."""
        if self._current:
            self._current.finish()
            self._current = None

    def last_fault(self) -> str:
        """How one has ended lately, in words, where that was not in order; then it is forgotten."""
        for one in list(self._living):
            if one.control.is_alone():
                self._ended(one)
        fault, self._fault = self._fault, ""
        return fault

    def kill(self) -> None:
        """End them all at once."""
        for one in self._living:
            one.kill()

    def _ended(self, one: Forkserver) -> None:
        if one not in self._living:  # that was noticed in the same turn already
            return
        self._living.remove(one)
        self._selector.unregister(one.control)
        if self._current is one:
            self._current = None
        if status := one.reap():
            self._fault = worker_process.describe(status)


def _serve(
    settings: Settings,
    address: tuple[str, int],
    folder: Path,
    control: ControlChannel,
    load_code: Callable[[], Run],
) -> int:
    """Fork until the supervisor finishes. Returns the exit status, in each worker as well."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the supervisor says when to end
    run = load_code()
    gc.freeze()  # the collector leaves shared objects alone, so that their pages stay shared
    control.socket.setblocking(True)
    while message := control.receive():
        end = message[2]
        if end is None:
            raise OSError("no file descriptors left")
        if _fork_orphan():
            control.close()
            forked = ControlChannel(end)
            forked.send(MessageKind.FORKED, str(os.getpid()))
            return run(settings, address, folder, forked, message)
        end.close()
    return 0


def _fork_orphan() -> bool:
    """Fork a process, which the supervisor adopts; True in that process."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return False
    parent = os.getpid()  # of the process that is wanted; it ends at once
    if os.fork():
        os._exit(0)
    while os.getppid() == parent:  # not adopted as yet
        time.sleep(0.0001)
    return True
