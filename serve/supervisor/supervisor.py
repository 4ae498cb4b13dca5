"""The process that owns the listening socket and the workers. It never reads a request."""

import logging
import selectors
import shutil
import signal
import socket
import time

from serve.errors import StartError
from serve.processes import forkserver, shared_folder, worker_process
from serve.processes.forkserver import Forkserver, Forkservers
from serve.processes.messages import Kind
from serve.processes.worker_process import Child
from serve.processes.worker_slot import Place
from serve.rollout.rollout import Rollout
from serve.settings import Settings
from serve.supervisor import cpus, file_limit, listener
from serve.supervisor.connection_balancer import Acceptor
from serve.supervisor.watchdog import Watchdog

log = logging.getLogger("serve")

GIVE_UP_AFTER = 5  # workers in a row that ended before they were ready
LONGEST_PAUSE = 10.0  # seconds between two starts of a worker
SETTLED_SECONDS = 10.0  # a worker that lived for so long is followed by another at once
TURN_SECONDS = 0.5
LAST_SECONDS = 0.1  # for connections that have begun, until they wait to be accepted
KILL_AFTER = 1.0  # seconds beyond the drain timeout


class Supervisor:
    """Runs the workers; ``run`` returns the exit status of the service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []
        self._forkservers = Forkservers(self._start_forkserver, self._selector)
        # when to start a worker, on which CPU
        self._due = [(0.0, cpu) for cpu in self._placement()]
        self._to_replace: list[Child] = []
        self._deaths = 0  # in short order
        self._failed_starts = 0  # in a row
        self._announced = False
        self._drain_at: float | None = None
        self._signals: list[int] = []

    def run(self) -> int:
        """Serve until a signal ends it.

        Raises:
            StartError: the address is taken, there is no model, or no worker can serve.

        """
        file_limit.allow(self._settings.max_connections)
        self._listener = listener.open_listener(self._settings)
        self._address = self._listener.getsockname()[:2]
        self._acceptor = Acceptor(self._listener, self._selector, self._children)
        watchdog = self._watchdog = Watchdog(self._children, self._settings.timeout)
        self._watch_signals()
        forkserver.adopt_orphans()
        self._folder = shared_folder.make()
        self._rollout = Rollout(
            self._settings, self._folder, self._selector, self._forkservers, self._children
        )
        try:
            self._rollout.begin()
            while self._children or self._drain_at is None:
                for key, _ in self._selector.select(TURN_SECONDS if not self._hurry() else 0.02):
                    key.data()
                if self._act_on_signals() == "now":
                    return 1
                if self._drain_at is None:
                    self._rollout.turn()
                self._start_due()
                self._acceptor.report()
                watchdog.turn()
                self._kill_late()
                if not (self._due or self._to_replace or self._rollout.trying):
                    self._forkservers.finish()
                self._reap_others()
                self._drain_when_due()
        finally:
            self._kill()
            shutil.rmtree(self._folder, ignore_errors=True)
        return 0

    def _placement(self) -> list[int | None]:
        """The CPU of each worker."""
        available = cpus.usable()
        count = self._settings.workers or len(available)
        if not self._settings.pin:
            return [None] * count
        return [available[index % len(available)] for index in range(count)]

    def _start(
        self, cpu: int | None, replaces: Child | None = None, after_death: bool = False
    ) -> None:
        taken = {child.place.slot for child in self._children}
        slot = min(set(range(len(taken) + 1)) - taken)
        place = Place(slot, cpu, after_death)
        child = Child(self._forkservers.fork(Kind.WORKER, place.text()), place, replaces=replaces)
        self._children.append(child)
        self._selector.register(child.control, selectors.EVENT_READ, lambda: self._hear(child))

    def _start_forkserver(self) -> Forkserver:
        inherited = [self._listener.close, self._selector.close, self._wakeup.close]
        inherited += [child.control.close for child in self._children]
        return Forkserver(self._settings, self._address, self._folder, inherited)

    # Workers

    def _hear(self, child: Child) -> None:
        message = child.control.receive()
        if message is None:
            self._gone(child)
        elif message[0] is Kind.CLOSED:
            child.connections -= int(message[1])
        elif message[0] is Kind.PONG:
            self._watchdog.answered(child)
        elif message[0] is Kind.FAILED:
            child.reason = message[1]
        elif message[0] is Kind.FORKED:
            child.pid = int(message[1])
        elif message[0] is not Kind.READY:
            self._rollout.hear(child, *message[:2])
        else:
            child.ready = True
            self._rollout.follows(child, message[1])
            self._failed_starts = 0
            self._announce()
            if child.replaces:
                self._take_over(child.replaces)
                child.replaces = None
        self._acceptor.accept_if_served(self._stopped())

    def _announce(self) -> None:
        waits = self._due or not all(child.ready for child in self._children)
        if self._announced or waits or self._drain_at is not None:
            return
        self._announced = True
        host, port = self._address
        host = f"[{host}]" if ":" in host else host
        print(f"serving {self._rollout.plan} on http://{host}:{port}; Ctrl-C ends it", flush=True)

    def _gone(self, child: Child) -> None:
        if child.pid is None and (how := self._forkservers.last_fault()):
            child.reason = f"the process that forks workers {how}"
        self._selector.unregister(child.control)
        self._children.remove(child)
        how = child.reap()
        shared_folder.forget_gauges(self._folder, child.place.slot)
        if self._drain_at is None:
            self._follow(child, how)

    def _follow(self, child: Child, how: str) -> None:
        """See to it that another takes the place of a worker that has ended, where one should."""
        if child in self._to_replace:
            self._to_replace.remove(child)
        if child.draining:
            self._replace_next()
        elif any(other.replaces is child for other in self._children):
            log.error("%s %s; its successor starts already", child, how)
        else:
            if child.replaces:
                log.error("restart given up, the old workers go on: %s", child.reason)
                self._to_replace.clear()
            if child.replaces not in self._children:
                self._restart(child, how)

    def _restart(self, child: Child, how: str) -> None:
        if not child.ready:
            self._failed_starts += 1
            enough = self._failed_starts >= GIVE_UP_AFTER and not self._acceptor.serving()
            if enough or not self._announced:
                raise StartError(child.reason)
        if time.monotonic() - child.started >= SETTLED_SECONDS:
            self._deaths = 0
        pause = min(LONGEST_PAUSE, 0.1 * 2**self._deaths) if self._deaths else 0.0
        self._deaths += 1
        log.error("%s %s; another starts in %.1f s", child, how, pause)
        self._due.append((time.monotonic() + pause, child.place.cpu))

    def _start_due(self) -> None:
        now = time.monotonic()
        for entry in [
            entry for entry in self._due if entry[0] <= now and self._rollout.plan.number
        ]:
            self._due.remove(entry)
            try:
                self._start(entry[1], after_death=self._deaths > 0)
            except OSError as error:
                if not self._announced:
                    raise StartError(f"a worker can't be started: {error.strerror}") from None
                log.error("a worker can't be started: %s", error.strerror)
                self._due.append((now + LONGEST_PAUSE, entry[1]))

    def _take_over(self, old: Child) -> None:
        """A successor is ready: its predecessor may go, if it has not died meanwhile."""
        if old in self._children:
            old.drain()
        else:
            self._replace_next()

    def _replace_next(self) -> None:
        if self._to_replace:
            old = self._to_replace.pop(0)
            try:
                self._start(old.place.cpu, replaces=old)
            except OSError as error:
                log.error("restart given up, the old workers go on: %s", error.strerror)
                self._to_replace.clear()

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
                self._rollout.look()
                busy = any(child.replaces or child.draining for child in self._children)
                self._to_replace = [child for child in self._children if not child.draining]
                if not busy:
                    self._replace_next()
            elif self._drain_at is not None:
                log.error("stopped at once; requests in flight are lost")
                return "now"
            else:
                self._due.clear()
                self._to_replace.clear()
                self._rollout.end()
                delay = self._settings.drain_delay if number == signal.SIGTERM else 0.0
                self._drain_at = time.monotonic() + delay
                for child in self._children:
                    child.control.send(Kind.UNREADY)
        return None

    def _stopped(self) -> bool:
        return self._drain_at is not None and time.monotonic() >= self._drain_at + LAST_SECONDS

    def _hurry(self) -> bool:
        return bool(self._due) or self._drain_at is not None

    def _drain_when_due(self) -> None:
        if self._drain_at is None or time.monotonic() < self._drain_at:
            return
        if not self._stopped():
            listener.refuse_new(self._listener)
            return
        self._acceptor.accept_rest()
        self._listener.close()
        for child in self._children:
            if not child.draining:
                child.drain()
        late = time.monotonic() - self._drain_at - self._settings.drain_timeout
        if late > KILL_AFTER:
            self._kill()

    def _kill_late(self) -> None:
        """End workers that are not done although their time to drain is over."""
        began_before = time.monotonic() - self._settings.drain_timeout - KILL_AFTER
        for child in self._children:
            if child.drains_since is not None and child.drains_since < began_before:
                child.kill()

    def _reap_others(self) -> None:
        if self._rollout.forking or any(child.pid is None for child in self._children):
            return  # one that has ended may be theirs, and they are to say how
        known = {child.pid for child in self._children if child.pid}
        worker_process.reap_others(known | self._forkservers.pids | self._rollout.pids)

    def _kill(self) -> None:
        self._forkservers.kill()
        self._rollout.kill()
        for child in self._children:
            child.kill()
