"""One worker process: a model, an event loop, and the connections that the supervisor gives it."""

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from waitress import wasyncore

from serve import memory
from serve.access_log import AccessLog
from serve.admission import Admission
from serve.app import create_app
from serve.catalog import Catalog
from serve.control import Control, Kind, Message
from serve.errors import StartError
from serve.inference import Inference
from serve.loader import Lack, Loaded, Loader, StuckError
from serve.loop import Loop
from serve.metrics import Metrics, Totals
from serve.observer import Observer
from serve.place import Place
from serve.repository import Repository
from serve.server import Server
from serve.settings import Settings
from serve.views import Health, Views

log = logging.getLogger("serve")

IDLE_SECONDS = 1.0  # while draining, a connection that has been silent for so long is closed
TURN_SECONDS = 1.0


class Worker:
    """Serves until told to drain; ``run`` returns the exit status of the process."""

    def __init__(
        self, settings: Settings, control: Control, address: tuple[str, int], folder: Path
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
        self._loader = Loader(settings, folder, self.wake)
        self._drain_until: float | None = None
        self._unreported = 0
        self._lock = threading.Lock()

    def run(self, place: Place) -> int:
        """Load and test the model, then serve; returns the exit status."""
        try:
            self._serve(place)
        except StartError as error:
            self._control.send(Kind.FAILED, str(error))
            return 1
        except OSError:
            if not self._control.is_alone():  # else the folder has been removed meanwhile
                raise
        finally:
            if self._control.is_alone():
                shutil.rmtree(self._folder, ignore_errors=True)  # the supervisor can't any more
        return 0

    def _serve(self, place: Place) -> None:
        if place.cpu is not None:
            os.sched_setaffinity(0, {place.cpu})
        memory.keep_freed()
        loaded = self._loader.begin()
        self._tell(loaded.lacks)
        loaded.check(self._settings.name)
        self._swap(loaded)
        del loaded  # what is unloaded later shall not stay
        self._set_up(Metrics(self._folder, place.slot), place.after_death)
        self._control.send(Kind.READY, str(self._catalog.plan.number))
        while not self._done():
            self._loop.turn(
                self._server.sockets, TURN_SECONDS if self._drain_until is None else 0.05
            )
            self._supervisor.take()
            self._follow()
            self._report()

    def _set_up(self, counts: Metrics, after_death: bool) -> None:
        counts.restarts.inc(after_death)
        admission = Admission(self._settings, self._catalog)
        inference = Inference(self._settings)
        views = Views(self._catalog, self._health, Totals(self._folder), self._settings.max_rows)
        app = create_app(inference, admission, views)
        observer = Observer(counts, AccessLog(self._settings.access_log))
        inference.ran = observer.ran
        self._repository = Repository(self._settings, self._control)
        self._loop = Loop(inference, admission, self._repository, observer, self._settings.threads)
        self._server = Server(app, self._address, self._settings, self._loop, observer, self.closed)
        self._supervisor = _ControlReader(self, self._control, self._server)

    def told(self, kind: Kind | None, text: str = "") -> None:
        """React to a message of the supervisor's, or, where there is none, to its end."""
        if kind is Kind.PLAN:
            self._loader.follow()
            return
        if kind is Kind.DONE:
            self._loop.finish(self._repository.done(text))
            return
        self._health.ready = False
        if kind is not Kind.UNREADY:
            self._server.draining = True
            self._drain_until = time.monotonic() + self._settings.drain_timeout

    def wake(self) -> None:
        """End the loop's wait; any thread may."""
        self._server.trigger.pull_trigger()

    def _follow(self) -> None:
        """Swap models, where a new plan is loaded."""
        try:
            loaded = self._loader.take()
        except StuckError as error:
            log.error("not loaded: %s", error)
            self._control.send(Kind.STUCK, str(error.lack))
        except Exception as error:  # the supervisor will ask again
            log.error("a new plan can't be loaded: %r", error)
        else:
            if loaded:
                self._tell(loaded.lacks)
                self._swap(loaded)
                self._control.send(Kind.FOLLOWED, str(loaded.plan.number))

    def _swap(self, loaded: Loaded) -> None:
        self._catalog.follow(loaded.plan, loaded.models)
        for lack in loaded.lacks:
            log.error("not loaded: %s", lack.reason)

    def _tell(self, lacks: Iterable[Lack]) -> None:
        for lack in lacks:
            self._control.send(Kind.LACKS, str(lack))

    def closed(self) -> None:
        """Count a connection that has ended; any thread may."""
        with self._lock:
            self._unreported += 1

    def _report(self) -> None:
        count = self._unreported
        if count and self._control.send(Kind.CLOSED, str(count)):
            with self._lock:
                self._unreported -= count

    def _done(self) -> bool:
        if self._drain_until is None:
            return False
        channels = list(self._server.active_channels.values())
        silent_since = time.time() - IDLE_SECONDS
        for channel in channels:
            if not channel.busy and channel.last_activity < silent_since:
                channel.handle_close()
        return not channels or time.monotonic() > self._drain_until


class _ControlReader(wasyncore.dispatcher):
    """The supervisor's messages, as one more socket of the event loop."""

    def __init__(self, worker: Worker, control: Control, server: Server) -> None:
        super().__init__(control.socket, map=server.sockets)
        self._worker, self._control, self._server = worker, control, server
        self._waits = False

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        """Leave it for ``take``."""
        self._waits = True

    def handle_close(self) -> None:
        """Leave it as well; what came before the end is still to be read."""
        self._waits = True

    def take(self) -> None:
        """Take all that has come, when the loop has dealt with all that one poll brought.

        A new connection may get the descriptor of one that was closed since that poll, and would
        be dealt what came for the other.
        """
        if self._waits:
            self._waits = False
            with contextlib.suppress(BlockingIOError):
                while self._take(self._control.receive()):
                    pass

    def _take(self, message: Message | None) -> bool:
        if message is None:  # the supervisor is gone: nobody else will end this process
            self.del_channel(self._server.sockets)
            self._worker.told(None)
            return False
        kind, text, connection = message
        if kind is not Kind.CONNECTION:
            self._worker.told(kind, text)
        elif connection is not None:
            self._server.take(connection)
        else:  # the system had no descriptor left for it
            log.error("a connection is lost: no file descriptors left")
            self._worker.closed()
        return True
