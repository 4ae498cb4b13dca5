"""A process that imports what workers need, forks them and validation processes, and then ends.

All processes that it forks share the memory of the imported packages. If the supervisor forked them
itself, it would keep its own copy of every memory page that they change.
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
from serve.processes.child_process import ChildProcess
from serve.processes.messages import ControlChannel, Message, MessageKind
from serve.settings import Settings

log = logging.getLogger("serve")

_PR_SET_CHILD_SUBREAPER = 36  # from Linux's prctl.h

Run = Callable[[Settings, tuple[str, int], Path, ControlChannel, Message], int]
"""What a forked process runs: with the settings, the address that clients see, the shared folder,
its channel to the supervisor, and the message that asked for it. Returns the exit status."""


def adopt_orphans() -> None:
    """Become the parent of the forked processes, whose own parent ends at once.

    Raises:
        StartError: the system does not allow it.

    """
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1) != 0:
        raise StartError("the system refuses prctl(PR_SET_CHILD_SUBREAPER), which workers need")


class Forkserver(ChildProcess):
    """A forkserver, as the supervisor sees it."""

    def __init__(
        self,
        settings: Settings,
        address: tuple[str, int],
        folder: Path,
        inherited: Iterable[Callable[[], None]],
        load_code: Callable[[], Run],
    ) -> None:
        """Start it. The supervisor has a single thread, so it may fork.

        Args:
            settings: of the server.
            address: that clients see.
            folder: the shared folder.
            inherited: functions that close what forked processes must not keep: the listening
                socket, which would stay open, and the channels to the workers, which would not
                notice the end of the supervisor.
            load_code: imports what forked processes need; returns what they run.

        """
        self.control, theirs = ControlChannel.pair()
        sys.stdout.flush()
        sys.stderr.flush()
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid:
            theirs.close()
            # Messages are small: this blocks only if hundreds of workers are requested at once.
            self.control.socket.setblocking(True)
            return
        status = 1
        try:
            for close in (self.control.close, *inherited):
                close()
            status = _serve(settings, address, folder, theirs, load_code)
            if os.getppid() != supervisor:  # which was killed, perhaps before it had any workers
                shutil.rmtree(folder, ignore_errors=True)
        except BaseException:
            log.exception("forkserver or worker %s failed", os.getpid())
        finally:
            os._exit(status)

    def fork(self, kind: MessageKind, text: str) -> ControlChannel:
        """Ask for a new process, which sends its process id in its first message."""
        ours, theirs = ControlChannel.pair()
        self.control.send(kind, text, theirs.socket)
        theirs.close()
        return ours

    def finish(self) -> None:
        """Let it end when it has forked all that it was asked for."""
        self.control.finish()

    def wait(self) -> str:
        """See ``ChildProcess.wait``."""
        self.control.close()
        return super().wait()


class Forkservers:
    """All forkservers: at most one that takes requests, and others that are about to end."""

    def __init__(self, start: Callable[[], Forkserver], selector: BaseSelector) -> None:
        """Start none yet.

        Args:
            start: starts a forkserver.
            selector: on which the supervisor waits; its data are functions to call.

        """
        self._start = start
        self._selector = selector
        self._current: Forkserver | None = None
        self._living: list[Forkserver] = []
        self._fault = ""

    @property
    def pids(self) -> set[int]:
        """Their process ids."""
        return {one.pid for one in self._living if one.pid}

    def fork(self, kind: MessageKind, text: str) -> ControlChannel:
        """Fork a process; see ``Forkserver.fork``."""
        if self._current is None:
            started = self._current = self._start()
            self._living.append(started)
            self._selector.register(
                started.control, selectors.EVENT_READ, lambda: self._note_end(started)
            )
        return self._current.fork(kind, text)

    def finish(self) -> None:
        """Let the current one end, because it needs much memory."""
        if self._current:
            self._current.finish()
            self._current = None

    def last_fault(self) -> str:
        """How a forkserver has failed since the last call; empty if none has."""
        for one in list(self._living):
            if one.control.is_alone():
                self._note_end(one)
        fault, self._fault = self._fault, ""
        return fault

    def kill(self) -> None:
        """Kill them all."""
        for one in self._living:
            one.kill()

    def _note_end(self, one: Forkserver) -> None:
        if one not in self._living:  # its end was noticed earlier in this turn
            return
        self._living.remove(one)
        self._selector.unregister(one.control)
        if self._current is one:
            self._current = None
        self._fault = one.wait() or self._fault


def _serve(
    settings: Settings,
    address: tuple[str, int],
    folder: Path,
    control: ControlChannel,
    load_code: Callable[[], Run],
) -> int:
    """Fork until the supervisor finishes. Returns the exit status, in each forked process too."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the supervisor says when to end
    run = load_code()
    gc.freeze()  # the garbage collector must not write to shared pages
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
    """Fork a process that the supervisor adopts; True in the new process."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return False
    parent = os.getpid()  # of the new process; it ends at once
    if os.fork():
        os._exit(0)
    while os.getppid() == parent:  # not adopted yet
        time.sleep(0.0001)
    return True
