"""The main process. It owns the listening socket and the workers, and never reads a request."""

import logging
import selectors
import shutil
import signal
import socket
import time

from serve.processes import child_process, forkserver, shared_folder
from serve.processes.forkserver import Forkserver, Forkservers
from serve.processes.messages import MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.rollout.load_requests import LoadRequests
from serve.rollout.rollout import Rollout
from serve.settings import Settings
from serve.supervisor import file_limit, listener
from serve.supervisor.connection_balancer import ConnectionBalancer
from serve.supervisor.watchdog import Watchdog
from serve.supervisor.worker_restarts import Workers
from serve.worker.entry import load_code

log = logging.getLogger("serve")

WAIT_SECONDS = 0.5  # for an event
SHORT_WAIT_SECONDS = 0.02  # while workers are about to start or to stop
LAST_CONNECTIONS_SECONDS = 0.1  # for connections whose handshake has begun
KILL_AFTER_SECONDS = 1.0  # beyond the drain timeout


class Supervisor:
    """Runs the server; ``run`` returns its exit status."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._forkservers = Forkservers(self._start_forkserver, self._selector)
        self._drain_at: float | None = None
        self._signals: list[int] = []

    def run(self) -> int:
        """Serve until a signal ends it.

        Raises:
            StartError: the address is taken, there is no model, or no worker can serve.

        """
        settings, selector = self._settings, self._selector
        file_limit.raise_limit(settings.max_connections)
        self._listener = listener.open_listener(settings)
        self._watch_signals()
        forkserver.adopt_orphans()
        folder = self._folder = shared_folder.create()
        workers = self._workers = Workers(settings, selector, self._forkservers, folder, self._hear)
        self._balancer = ConnectionBalancer(self._listener, selector, workers.living)
        self._watchdog = Watchdog(workers.living, settings.timeout)
        self._rollout = Rollout(settings, folder, selector, self._forkservers, workers.living)
        self._load_requests = LoadRequests(self._rollout)
        try:
            self._rollout.begin()
            while workers.living or self._drain_at is None:
                is_urgent = workers.is_start_due or self._drain_at is not None
                for key, _ in selector.select(SHORT_WAIT_SECONDS if is_urgent else WAIT_SECONDS):
                    key.data()
                if self._act_on_signals() == "now":
                    return 1
                self._turn()
        finally:
            self._kill()
            shutil.rmtree(folder, ignore_errors=True)
        return 0

    def _turn(self) -> None:
        """Do what is due, after each wait."""
        if self._drain_at is None:
            self._rollout.turn()
            self._load_requests.turn()
        if self._rollout.plan.number:
            self._workers.start_due()
        self._balancer.report()
        self._watchdog.turn()
        self._kill_late()
        if not (self._workers.is_start_pending or self._rollout.is_validating):
            self._forkservers.finish()
        self._reap_others()
        self._drain_when_due()

    def _start_forkserver(self) -> Forkserver:
        inherited = [self._listener.close, self._selector.close, self._wakeup.close]
        inherited += [worker.control.close for worker in self._workers.living]
        address = self._listener.getsockname()[:2]
        return Forkserver(self._settings, address, self._folder, inherited, load_code)

    def _hear(self, worker: WorkerProcess) -> None:
        """Take a message of a worker's."""
        message = worker.control.receive()
        if message is None:
            self._workers.note_end(worker, is_stopping=self._drain_at is not None)
        else:
            self._take(worker, message[0], message[1])
        self._balancer.accept_if_served(self._is_stopped())

    def _take(self, worker: WorkerProcess, kind: MessageKind, text: str) -> None:
        if kind is MessageKind.CLOSED:
            worker.connections -= int(text)
        elif kind is MessageKind.PONG:
            self._watchdog.answered(worker)
        elif kind is MessageKind.FAILED:
            worker.reason = text
        elif kind is MessageKind.FORKED:
            worker.pid = int(text)
        elif kind is MessageKind.READY:
            worker.plan = int(text)
            self._workers.note_ready(worker)
            self._announce()
        elif kind in (MessageKind.LOAD, MessageKind.UNLOAD):
            self._load_requests.take(worker, kind, text)
        else:
            self._rollout.take(worker, kind, text)

    def _announce(self) -> None:
        """Say that the server serves, once all workers are ready."""
        if self._workers.have_started or not self._workers.are_ready or self._drain_at is not None:
            return
        self._workers.have_started = True
        host, port = self._listener.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        print(f"serving {self._rollout.plan} on http://{host}:{port}; Ctrl-C ends it", flush=True)

    # Signals and the end

    def _watch_signals(self) -> None:
        reading, writing = socket.socketpair()
        reading.setblocking(False)
        writing.setblocking(False)
        self._wakeup = writing
        signal.set_wakeup_fd(writing.fileno())
        self._selector.register(reading, selectors.EVENT_READ, lambda: reading.recv(64))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda got, _: self._signals.append(got))

    def _act_on_signals(self) -> str | None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGHUP:
                self._rollout.reload()
                self._workers.replace_all()
            elif self._drain_at is not None:
                log.error("stopped at once; requests in flight are lost")
                return "now"
            else:
                self._begin_to_stop(number)
        return None

    def _begin_to_stop(self, number: int) -> None:
        self._workers.stop_starting()
        self._rollout.kill()
        self._load_requests.stop()
        delay = self._settings.drain_delay if number == signal.SIGTERM else 0.0
        self._drain_at = time.monotonic() + delay
        for worker in self._workers.living:
            worker.control.send(MessageKind.NOT_READY)

    def _is_stopped(self) -> bool:
        """Are connections no longer accepted?"""
        if self._drain_at is None:
            return False
        return time.monotonic() >= self._drain_at + LAST_CONNECTIONS_SECONDS

    def _drain_when_due(self) -> None:
        if self._drain_at is None or time.monotonic() < self._drain_at:
            return
        if not self._is_stopped():
            listener.refuse_new(self._listener)
            return
        self._balancer.accept_rest()
        self._listener.close()
        for worker in self._workers.living:
            if not worker.draining:
                worker.drain()
        late = time.monotonic() - self._drain_at - self._settings.drain_timeout
        if late > KILL_AFTER_SECONDS:
            self._kill()

    def _kill_late(self) -> None:
        """Kill workers that have not finished within the drain timeout."""
        began_before = time.monotonic() - self._settings.drain_timeout - KILL_AFTER_SECONDS
        for worker in self._workers.living:
            if worker.drains_since is not None and worker.drains_since < began_before:
                worker.kill()

    def _reap_others(self) -> None:
        """Reap orphans that this process has adopted."""
        workers = self._workers.living
        if self._rollout.is_forking or any(worker.pid is None for worker in workers):
            return  # an ended process may be one of them, whose exit status is still needed
        known = {worker.pid for worker in workers if worker.pid}
        child_process.reap_orphans(known | self._forkservers.pids | self._rollout.pids)

    def _kill(self) -> None:
        self._forkservers.kill()
        self._rollout.kill()
        self._workers.kill()
