"""One worker process: a model, an event loop, and the connections that the supervisor gives it."""

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from serve.api.flask_app import create_app
from serve.api.views import Health, Views
from serve.errors import StartError
from serve.http.poller import READ, Poller
from serve.http.server import Server
from serve.http.wsgi import WaitressGateway
from serve.inference.admission import Admission
from serve.inference.batching import Batcher
from serve.models import malloc
from serve.models.catalog import Catalog
from serve.models.loader import CannotFollowError, Loaded, Loader, MissingVersion
from serve.pages import Pages
from serve.processes.messages import ControlChannel, Message, MessageKind
from serve.processes.worker_slot import WorkerSlot
from serve.settings import Settings
from serve.telemetry.access_log import AccessLog
from serve.telemetry.metrics import RESTARTS, Metrics, Totals
from serve.telemetry.request_metrics import RequestMetrics
from serve.worker.event_loop import EventLoop
from serve.worker.pending_loads import PendingLoads

log = logging.getLogger("serve")

IDLE_SECONDS = 1.0  # while draining, a connection that has been silent for so long is closed
TURN_SECONDS = 1.0


class Worker:
    """Serves until told to drain; ``run`` returns the exit status of the process."""

    def __init__(
        self, settings: Settings, control: ControlChannel, address: tuple[str, int], folder: Path
    ) -> None:
        """Prepare, without a model as yet.

        Args:
            settings: of the service.
            control: to the supervisor.
            address: that clients see.
            folder: where all workers keep their metrics.

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
        self._unreported = 0
        self._is_told = False

    def run(self, place: WorkerSlot) -> int:
        """Load and test the model, then serve; returns the exit status."""
        try:
            self._serve(place)
        except StartError as error:
            self._control.send(MessageKind.FAILED, str(error))
            return 1
        except OSError:
            if not self._control.is_alone():  # else the folder has been removed meanwhile
                raise
        finally:
            if self._control.is_alone():
                shutil.rmtree(self._folder, ignore_errors=True)  # the supervisor can't any more
        return 0

    def _serve(self, place: WorkerSlot) -> None:
        if place.cpu is not None:
            os.sched_setaffinity(0, {place.cpu})
        malloc.tune()
        loaded = self._loader.begin()
        self._tell(loaded.missing)
        loaded.check(self._settings.default_model)
        self._swap(loaded)
        del loaded  # what is unloaded later shall not stay
        self._set_up(Metrics(self._folder, place.slot), place.after_death)
        self._control.send(MessageKind.READY, str(self._catalog.plan.number))
        while not self._done():
            self._loop.turn(TURN_SECONDS if self._drain_until is None else 0.05)
            self._follow()
            self._report()

    def _set_up(self, counts: Metrics, after_death: bool) -> None:
        counts.series(RESTARTS).add(after_death)
        admission = Admission(self._settings, self._catalog)
        inference = Batcher(self._settings)
        settings = self._settings
        pages = Pages(settings.pages)
        views = Views(self._catalog, self._health, Totals(self._folder), settings.max_rows, pages)
        app = create_app(inference, admission, views)
        request_metrics = self._metrics = RequestMetrics(
            counts, AccessLog(self._settings.access_log)
        )
        self._pending_loads = PendingLoads(self._settings, self._control)
        self._server = Server(self._settings, self._poller, request_metrics, self._count_closed)
        self._loop = EventLoop(
            self._poller,
            self._server,
            WaitressGateway(app, self._address, self._settings),
            inference,
            admission,
            self._pending_loads,
            request_metrics,
            self._listen,
            self._settings.inference_threads,
        )
        self._poller.watch(self._control.fileno(), READ, self._note)

    def _note(self, _: int) -> None:
        """Leave messages of the supervisor until the loop has dealt with all of one poll.

        A new connection may get the descriptor of one that was closed since that poll, and would
        be dealt what came for the other.
        """
        self._is_told = True

    def _listen(self) -> bool:
        """Take all that the supervisor has sent; returns whether it had sent anything."""
        if not self._is_told:
            return False
        self._is_told = False
        with contextlib.suppress(BlockingIOError):
            while self._take(self._control.receive()):
                pass
        return True

    def _take(self, message: Message | None) -> bool:
        if message is None:  # the supervisor is gone: nobody else will end this process
            self._poller.watch(self._control.fileno(), 0, self._note)
            self._obey(None)
            return False
        kind, text, connection = message
        if kind is not MessageKind.CONNECTION:
            self._obey(kind, text)
        elif connection is not None:
            self._server.take(connection)
        else:  # the system had no descriptor left for it
            log.error("a connection is lost: no file descriptors left")
            self._count_closed()
        return True

    def _obey(self, kind: MessageKind | None, text: str = "") -> None:
        """React to a message of the supervisor's, or, where there is none, to its end."""
        if kind is MessageKind.NEW_PLAN:
            self._loader.follow()
            return
        if kind is MessageKind.PING:
            self._control.send(MessageKind.PONG)
            return
        if kind is MessageKind.DROPPED:
            self._metrics.count_rejections("worker", int(text))
            return
        if kind is MessageKind.LOAD_DONE:
            self._loop.finish(self._pending_loads.done(text))
            return
        self._health.ready = False
        if kind is not MessageKind.NOT_READY:
            self._server.draining = True
            self._drain_until = time.monotonic() + self._settings.drain_timeout

    def _follow(self) -> None:
        """Swap models, where a new plan is loaded."""
        try:
            loaded = self._loader.take()
        except CannotFollowError as error:
            log.error("not loaded: %s", error)
            self._control.send(MessageKind.PLAN_NOT_FOLLOWED, str(error.missing_version))
        except Exception as error:  # the supervisor will ask again
            log.error("a new plan can't be loaded: %r", error)
        else:
            if loaded:
                self._tell(loaded.missing)
                self._swap(loaded)
                self._control.send(MessageKind.PLAN_FOLLOWED, str(loaded.plan.number))

    def _swap(self, loaded: Loaded) -> None:
        self._catalog.follow(loaded.plan, loaded.models)
        for missing_version in loaded.missing:
            log.error("not loaded: %s", missing_version.reason)

    def _tell(self, missing: Iterable[MissingVersion]) -> None:
        for missing_version in missing:
            self._control.send(MessageKind.VERSION_MISSING, str(missing_version))

    def _count_closed(self) -> None:
        self._unreported += 1

    def _report(self) -> None:
        if self._unreported and self._control.send(MessageKind.CLOSED, str(self._unreported)):
            self._unreported = 0

    def _done(self) -> bool:
        if self._drain_until is None:
            return False
        self._server.close_idle(IDLE_SECONDS)
        return not self._server.connections or time.monotonic() > self._drain_until
