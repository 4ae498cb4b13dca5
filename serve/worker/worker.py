"""A worker process: models, an event loop, and the connections that the supervisor passes to it."""

import contextlib
import logging
import os
import shutil
import time
from pathlib import Path

from serve.api.flask_app import create_app
from serve.api.views import Health, Views
from serve.errors import StartError
from serve.http.poller import READ, Poller
from serve.http.server import Server
from serve.http.wsgi import WaitressGateway
from serve.inference.admission import Admission
from serve.inference.batching import Batcher
from serve.inference.shadow import Shadow
from serve.models import malloc
from serve.models.catalog import Catalog
from serve.models.loader import Loaded, Loader
from serve.pages import Pages
from serve.processes.messages import ControlChannel, Message, MessageKind
from serve.processes.worker_slot import WorkerSlot
from serve.settings import Settings
from serve.telemetry.access_log import AccessLog
from serve.telemetry.metrics import RESTARTS, Metrics
from serve.telemetry.request_log import RequestLog
from serve.telemetry.request_metrics import RequestMetrics
from serve.telemetry.totals import Totals
from serve.worker.event_loop import EventLoop
from serve.worker.pending_loads import PendingLoads

log = logging.getLogger("serve")

IDLE_SECONDS = 1.0  # while draining, a connection that was idle for so long is closed
TURN_SECONDS = 1.0
DRAIN_TURN_SECONDS = 0.05


class Worker:
    """Serves until the supervisor drains it; ``run`` returns the exit status of the process."""

    def __init__(
        self, settings: Settings, control: ControlChannel, address: tuple[str, int], folder: Path
    ) -> None:
        """Prepare, without models yet.

        Args:
            settings: of the server.
            control: channel to the supervisor.
            address: that clients see.
            folder: the shared folder.

        """
        self._settings = settings
        self._control = control
        self._address = address
        self._folder = folder
        self._health = Health()
        self._catalog = Catalog()
        self._poller = Poller()
        self._loader = Loader(settings, folder, self._poller.wake)
        self._drain_until: float | None = None
        self._closed_connections = 0  # not reported yet
        self._has_messages = False

    def run(self, slot: WorkerSlot) -> int:
        """Load the models, then serve; returns the exit status."""
        try:
            self._serve(slot)
        except StartError as error:
            self._control.send(MessageKind.FAILED, str(error))
            return 1
        except OSError:
            if not self._control.is_alone():  # else the shared folder may have been removed
                raise
        finally:
            if self._control.is_alone():
                shutil.rmtree(self._folder, ignore_errors=True)  # the supervisor is dead
        return 0

    def _serve(self, slot: WorkerSlot) -> None:
        if slot.cpu is not None:
            os.sched_setaffinity(0, {slot.cpu})
        malloc.tune()
        loaded = self._loader.load_now()
        self._report_failures(loaded)
        default = self._settings.default_model
        if loaded.failures and not any(default in (None, one.name) for one in loaded.models):
            raise StartError(loaded.failures[0].reason)
        self._swap(loaded)
        del loaded  # it would keep models that are unloaded later
        self._set_up(Metrics(self._folder, slot.number), slot.after_death)
        self._control.send(MessageKind.READY, str(self._catalog.plan.number))
        while not self._is_done():
            is_draining = self._drain_until is not None
            self._loop.turn(DRAIN_TURN_SECONDS if is_draining else TURN_SECONDS)
            self._follow()
            self._report_closed()

    def _set_up(self, metrics: Metrics, after_death: bool) -> None:
        settings = self._settings
        metrics.series(RESTARTS).add(after_death)
        admission = Admission(settings, self._catalog)
        batcher = Batcher(settings)
        pages, totals = Pages(settings.pages), Totals(self._folder)
        views = Views(self._catalog, self._health, totals, settings.max_rows, pages)
        app = create_app(batcher, admission, views)
        self._metrics = RequestMetrics(metrics, AccessLog(settings.access_log))
        if settings.request_log:
            rate, size = settings.request_log_rate, settings.request_log_bytes
            self._metrics.request_log = RequestLog(settings.request_log, rate, size)
        self._pending_loads = PendingLoads(settings, self._control)
        self._server = Server(settings, self._poller, self._metrics, self._count_closed)
        self._loop = EventLoop(
            self._poller,
            self._server,
            WaitressGateway(app, self._address, settings),
            batcher,
            admission,
            Shadow(self._catalog),
            self._pending_loads,
            self._metrics,
            self._receive_messages,
            settings.inference_threads,
        )
        self._poller.watch(self._control.fileno(), READ, self._note_messages)

    # Messages of the supervisor

    def _note_messages(self, _: int) -> None:
        """Leave messages until the event loop has handled all events of one poll.

        A new connection may get the descriptor of one that was closed since that poll, and would
        get the events of the other.
        """
        self._has_messages = True

    def _receive_messages(self) -> bool:
        """Handle all messages of the supervisor; returns whether there were any."""
        if not self._has_messages:
            return False
        self._has_messages = False
        with contextlib.suppress(BlockingIOError):
            while self._receive(self._control.receive()):
                pass
        return True

    def _receive(self, message: Message | None) -> bool:
        if message is None:  # the supervisor is dead: nobody else will end this process
            self._poller.watch(self._control.fileno(), 0, self._note_messages)
            self._drain()
            return False
        kind, text, connection = message
        if kind is not MessageKind.CONNECTION:
            self._obey(kind, text)
        elif connection is not None:
            self._server.take(connection)
        else:  # the system could not create a descriptor for it
            log.error("a connection is lost: no file descriptors left")
            self._count_closed()
        return True

    def _obey(self, kind: MessageKind, text: str) -> None:
        if kind is MessageKind.NEW_PLAN:
            self._loader.load_in_background()
        elif kind is MessageKind.PING:
            self._control.send(MessageKind.PONG)
        elif kind is MessageKind.DROPPED:
            self._metrics.count_rejections("worker", int(text))
        elif kind is MessageKind.LOAD_DONE:
            self._loop.finish(self._pending_loads.done(text))
        elif kind is MessageKind.NOT_READY:
            self._health.ready = False
        else:
            self._drain()

    def _drain(self) -> None:
        self._health.ready = False
        self._server.draining = True
        self._drain_until = time.monotonic() + self._settings.drain_timeout

    # Reports to the supervisor

    def _follow(self) -> None:
        """Serve the models of a new plan, if one has been loaded."""
        try:
            loaded = self._loader.take()
        except Exception as error:  # the supervisor will ask again
            log.error("a new plan can't be loaded: %r", error)
            return
        if loaded:
            self._report_failures(loaded)
            self._swap(loaded)
            self._control.send(MessageKind.PLAN_FOLLOWED, str(loaded.plan.number))

    def _swap(self, loaded: Loaded) -> None:
        self._catalog.follow(loaded.plan, loaded.models)
        for failure in loaded.failures:
            log.error("not loaded: %s", failure.reason)

    def _report_failures(self, loaded: Loaded) -> None:
        for failure in loaded.failures:
            self._control.send(MessageKind.LOAD_FAILED, str(failure))

    def _count_closed(self) -> None:
        self._closed_connections += 1

    def _report_closed(self) -> None:
        count = self._closed_connections
        if count and self._control.send(MessageKind.CLOSED, str(count)):
            self._closed_connections = 0

    def _is_done(self) -> bool:
        """Are all connections closed, or is the drain timeout over?"""
        if self._drain_until is None:
            return False
        self._server.close_idle(IDLE_SECONDS)
        return not self._server.connections or time.monotonic() > self._drain_until
