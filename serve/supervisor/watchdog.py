"""Ends workers whose event loop stands still, so that others take their place.

Each worker is asked once a second for a sign of life, which its loop gives. One that gives none
is ended where it uses no CPU time either, for then it is stopped or waits for ever; and where it
does, once no request may take any longer.
"""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serve.processes.messages import Kind
from serve.processes.worker_process import Child

log = logging.getLogger("serve")

CHECK_SECONDS = 1.0
MOST_IDLE_CHECKS = 5
"""In a row. They are counted, not timed: all processes may have been stopped together."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class _Watched:
    """A worker that has been asked."""

    asked_at: float
    cpu_seconds: float
    idle_checks: int = 0
    answered: bool = False


class Watchdog:
    """Watches the workers that are ready."""

    def __init__(self, children: Sequence[Child], timeout: float) -> None:
        """Watch ``children``, whose requests may take ``timeout`` seconds."""
        self._children = children
        self._timeout = timeout
        self._watched: dict[Child, _Watched] = {}
        self._due = 0.0

    def answered(self, child: Child) -> None:
        """Note a sign of life."""
        child.is_silent = False
        if child in self._watched:
            self._watched[child].answered = True

    def turn(self) -> None:
        """Look at every worker, once a second."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + CHECK_SECONDS
        watched, self._watched = self._watched, {}
        for child in self._children:
            if not child.ready or child.pid is None:
                continue
            known = watched.get(child)
            if known is None or known.answered:
                child.control.send(Kind.PING)
                self._watched[child] = _Watched(now, _cpu_seconds(child.pid))
            elif why := self._fault(known, child.pid, now):
                log.error("%s %s; it is ended", child, why)
                child.kill()
            else:
                child.is_silent = True
                self._watched[child] = known

    def _fault(self, known: _Watched, pid: int, now: float) -> str:
        """Why a worker that has not answered is to be ended; empty where it is not as yet."""
        used = _cpu_seconds(pid)
        known.idle_checks = known.idle_checks + 1 if used == known.cpu_seconds else 0
        known.cpu_seconds = used
        if known.idle_checks >= MOST_IDLE_CHECKS:
            return "does nothing, although it was asked for a sign of life"
        if now - known.asked_at > self._timeout + MOST_IDLE_CHECKS * CHECK_SECONDS:
            return f"has been busy for longer than the {self._timeout:g} s of --timeout"
        return ""


def _cpu_seconds(pid: int) -> float:
    """CPU time of a process in seconds, of all its threads (proc_pid_stat(5)); 0 once it ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
