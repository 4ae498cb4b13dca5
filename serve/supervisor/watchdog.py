"""Kills workers whose event loop hangs, so that they are replaced.

Each worker gets a ping once a second, which its event loop answers. A worker that does not answer
is killed if it uses no CPU time, because then it is stopped or blocked. If it does use CPU time, it
is killed when it has been busy for longer than any request may take.
"""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serve.processes.messages import MessageKind
from serve.processes.worker_process import WorkerProcess

log = logging.getLogger("serve")

CHECK_SECONDS = 1.0
MAX_IDLE_CHECKS = 5
"""In a row. They are counted, not timed, because all processes may have been stopped together."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class _Watched:
    """A worker that has got a ping."""

    pinged_at: float
    cpu_seconds: float
    idle_checks: int = 0
    answered: bool = False


class Watchdog:
    """Watches the workers that are ready."""

    def __init__(self, workers: Sequence[WorkerProcess], timeout: float) -> None:
        """Watch ``workers``, whose requests may take up to ``timeout`` seconds."""
        self._workers = workers
        self._timeout = timeout
        self._watched: dict[WorkerProcess, _Watched] = {}
        self._due = 0.0

    def answered(self, worker: WorkerProcess) -> None:
        """Note that a worker has answered."""
        worker.is_silent = False
        if worker in self._watched:
            self._watched[worker].answered = True

    def turn(self) -> None:
        """Check every worker, once a second."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + CHECK_SECONDS
        watched, self._watched = self._watched, {}
        for worker in self._workers:
            if not worker.ready or worker.pid is None:
                continue
            known = watched.get(worker)
            if known is None or known.answered:
                worker.control.send(MessageKind.PING)
                self._watched[worker] = _Watched(now, _cpu_seconds(worker.pid))
            elif why := self._fault(known, worker.pid, now):
                log.error("%s %s; it is killed", worker, why)
                worker.kill()
            else:
                worker.is_silent = True
                self._watched[worker] = known

    def _fault(self, known: _Watched, pid: int, now: float) -> str:
        """Why a worker that has not answered must be killed; empty if it need not be yet."""
        used = _cpu_seconds(pid)
        known.idle_checks = known.idle_checks + 1 if used == known.cpu_seconds else 0
        known.cpu_seconds = used
        if known.idle_checks >= MAX_IDLE_CHECKS:
            return "hangs: it answers no pings and uses no CPU time"
        if now - known.pinged_at > self._timeout + MAX_IDLE_CHECKS * CHECK_SECONDS:
            return f"has been busy for longer than the {self._timeout:g} s of --timeout"
        return ""


def _cpu_seconds(pid: int) -> float:
    """CPU time of a process in seconds, with all threads (proc_pid_stat(5)); 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
