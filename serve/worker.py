"""One worker process: a model, an event loop, and the connections that the supervisor gives it."""

import contextlib
import os
import time

from waitress import wasyncore

from serve import memory
from serve.admission import Admission
from serve.app import Health, create_app
from serve.control import Control, Kind, Message
from serve.errors import StartError
from serve.inference import load
from serve.loop import Loop
from serve.server import Server
from serve.settings import Settings

IDLE_SECONDS = 1.0  # while draining, a connection that has been silent for so long is closed
TURN_SECONDS = 1.0


class Worker:
    """Serves until told to drain; ``run`` returns the exit status of the process."""

    def __init__(self, settings: Settings, control: Control, address: tuple[str, int]) -> None:
        self._settings = settings
        self._control = control
        self._address = address
        self._health = Health()
        self._drain_until: float | None = None
        self._unreported = 0

    def run(self, cpu: int | None) -> int:
        """Load and test the model, then serve."""
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        memory.keep_freed()
        try:
            inference = load(self._settings)
        except StartError as error:
            self._control.send(Kind.FAILED, str(error))
            return 1
        admission = Admission(self._settings)
        app = create_app(inference, admission, self._health)
        loop = Loop(inference, admission)
        self._server = Server(app, self._address, self._settings, loop, self._closed)
        _ControlReader(self, self._control, self._server)
        self._control.send(Kind.READY, f"{inference.model.name} version {inference.model.version}")
        while not self._done():
            loop.turn(self._server.sockets, TURN_SECONDS if self._drain_until is None else 0.05)
            self._report()
        return 0

    def told(self, kind: Kind) -> None:
        """React to a message of the supervisor's, or to its end (as to DRAIN)."""
        self._health.ready = False
        if kind is Kind.DRAIN:
            self._server.draining = True
            self._drain_until = time.monotonic() + self._settings.drain_timeout

    def _closed(self) -> None:
        self._unreported += 1

    def _report(self) -> None:
        if self._unreported and self._control.send(Kind.CLOSED, str(self._unreported)):
            self._unreported = 0

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

    def writable(self) -> bool:
        return False

    def handle_read(self) -> None:
        """Take all that has come: connections shall not wait for one turn of the loop each."""
        with contextlib.suppress(BlockingIOError):
            while self._take(self._control.receive()):
                pass

    def _take(self, message: Message | None) -> bool:
        if message is None:  # the supervisor is gone: nobody else will end this process
            self.del_channel(self._server.sockets)
            self._worker.told(Kind.DRAIN)
            return False
        kind, _, connection = message
        if connection is not None:
            self._server.take(connection)
        else:
            self._worker.told(kind)
        return True
