"""Starts the workers, and another one in place of each that dies or is to be replaced."""

import logging
import selectors
import time
from collections.abc import Callable
from pathlib import Path

from serve.errors import StartError
from serve.processes import shared_folder
from serve.processes.forkserver import Forkservers
from serve.processes.messages import MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.processes.worker_slot import WorkerSlot
from serve.settings import Settings
from serve.supervisor import cpus

log = logging.getLogger("serve")

MAX_FAILED_STARTS = 5  # workers in a row that ended before they were ready
MAX_PAUSE_SECONDS = 10.0  # between two starts
STABLE_SECONDS = 10.0  # a worker that served and lived for so long is replaced without a pause


class Workers:
    """All workers of the server."""

    def __init__(
        self,
        settings: Settings,
        selector: selectors.BaseSelector,
        forkservers: Forkservers,
        folder: Path,
        hear: Callable[[WorkerProcess], None],
    ) -> None:
        """Start none yet; ``start_due`` starts them.

        Args:
            settings: of the server.
            selector: on which the supervisor waits; its data are functions to call.
            forkservers: fork the workers.
            folder: the shared folder.
            hear: called when a worker has sent a message, or has ended.

        """
        self._selector = selector
        self._forkservers = forkservers
        self._folder = folder
        self._hear = hear
        self.living: list[WorkerProcess] = []
        self.have_started = False
        """Have all workers been ready at the same time? A failure before that ends the server."""
        # When to start, and on which CPU.
        self._due = [(0.0, cpu) for cpu in cpus.placement(settings.workers, settings.pin)]
        self._to_replace: list[WorkerProcess] = []
        self._recent_deaths = 0
        self._failed_starts = 0  # in a row

    @property
    def are_ready(self) -> bool:
        """Is every worker ready?"""
        return not self._due and all(worker.ready for worker in self.living)

    @property
    def is_start_due(self) -> bool:
        """Will a worker be started soon?"""
        return bool(self._due)

    @property
    def is_start_pending(self) -> bool:
        """Will a worker be started soon, or after another one is ready?"""
        return bool(self._due or self._to_replace)

    def start_due(self) -> None:
        """Start the workers whose time has come.

        Raises:
            StartError: the first workers can't be forked.

        """
        now = time.monotonic()
        due, self._due = self._due, [start for start in self._due if start[0] > now]
        for at, cpu in due:
            if at > now:
                continue
            try:
                self._start(cpu, after_death=self._recent_deaths > 0)
            except OSError as error:
                if not self.have_started:
                    raise StartError(f"a worker can't be started: {error.strerror}") from None
                log.error("a worker can't be started: %s", error.strerror)
                self._due.append((now + MAX_PAUSE_SECONDS, cpu))

    def stop_starting(self) -> None:
        """Start no more workers."""
        self._due.clear()
        self._to_replace.clear()

    def replace_all(self) -> None:
        """Replace every worker, one after the other."""
        is_under_way = any(worker.replaces or worker.draining for worker in self.living)
        self._to_replace = [worker for worker in self.living if not worker.draining]
        if not is_under_way:
            self._replace_next()

    def note_ready(self, worker: WorkerProcess) -> None:
        """Note that a worker serves; the one that it replaces is drained."""
        worker.ready = True
        self._failed_starts = 0
        old, worker.replaces = worker.replaces, None
        if old in self.living:
            old.drain()
        elif old:  # it has died meanwhile
            self._replace_next()

    def note_end(self, worker: WorkerProcess, is_stopping: bool) -> None:
        """Start another worker in place of one that has ended, if one is needed.

        Raises:
            StartError: workers end again and again before they are ready.

        """
        if worker.pid is None and (how := self._forkservers.last_fault()):
            worker.reason = f"the forkserver {how}"
        self._selector.unregister(worker.control)
        self.living.remove(worker)
        how = worker.wait()
        shared_folder.forget_live_values(self._folder, worker.slot.number)
        if not is_stopping:
            self._replace(worker, how)

    def kill(self) -> None:
        """Kill all workers."""
        for worker in self.living:
            worker.kill()

    def _start(
        self, cpu: int | None, replaces: WorkerProcess | None = None, after_death: bool = False
    ) -> None:
        taken = {worker.slot.number for worker in self.living}
        slot = WorkerSlot(min(set(range(len(taken) + 1)) - taken), cpu, after_death)
        control = self._forkservers.fork(MessageKind.START_WORKER, slot.to_text())
        worker = WorkerProcess(control, slot, replaces=replaces)
        self.living.append(worker)
        self._selector.register(control, selectors.EVENT_READ, lambda: self._hear(worker))

    def _replace(self, worker: WorkerProcess, how: str) -> None:
        if worker in self._to_replace:
            self._to_replace.remove(worker)
        if worker.draining:
            self._replace_next()
        elif any(other.replaces is worker for other in self.living):
            log.error("%s %s; its replacement is starting already", worker, how)
        else:
            if worker.replaces:
                log.error("restart cancelled, the old workers continue: %s", worker.reason)
                self._to_replace.clear()
            if worker.replaces not in self.living:
                self._restart(worker, how)

    def _restart(self, worker: WorkerProcess, how: str) -> None:
        if not worker.ready:
            self._failed_starts += 1
            is_serving = any(other.ready and not other.draining for other in self.living)
            if not self.have_started or (
                self._failed_starts >= MAX_FAILED_STARTS and not is_serving
            ):
                raise StartError(worker.reason)
        if worker.ready and time.monotonic() - worker.started >= STABLE_SECONDS:
            self._recent_deaths = 0
        pause = min(MAX_PAUSE_SECONDS, 0.1 * 2**self._recent_deaths) if self._recent_deaths else 0.0
        self._recent_deaths += 1
        log.error("%s %s; another one starts in %.1f s", worker, how, pause)
        self._due.append((time.monotonic() + pause, worker.slot.cpu))

    def _replace_next(self) -> None:
        if self._to_replace:
            old = self._to_replace.pop(0)
            try:
                self._start(old.slot.cpu, replaces=old)
            except OSError as error:
                log.error("restart cancelled, the old workers continue: %s", error.strerror)
                self._to_replace.clear()
