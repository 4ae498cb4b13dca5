"""All connections of a worker, and their common limits.

The supervisor accepts connections, and ``take`` adds them; ``maintain`` closes those that take too
long.
"""

import itertools
import os
import socket
import time
from collections.abc import Callable

from serve.api import routes
from serve.errors import ServeError, TooSlow
from serve.http import response_writer
from serve.http.connection import SMALL_BODY, Connection
from serve.http.connection_owner import Dispatcher
from serve.http.poller import Poller
from serve.http.request import Request
from serve.inference.inference_job import error_response
from serve.settings import Settings
from serve.telemetry.request_metrics import RequestMetrics

EXTRA_CONNECTIONS = 32  # beyond the limit; they get a response before they are closed
STALL_SECONDS = 2.0  # seconds
MAINTAIN_SECONDS = 1.0
RECENT_SECONDS = 1.0  # seconds after a request in which a connection counts as in use


class Server:
    """All open connections."""

    dispatcher: Dispatcher[Connection]
    draining = False

    def __init__(
        self,
        settings: Settings,
        poller: Poller,
        request_metrics: RequestMetrics,
        closed: Callable[[], None],
    ) -> None:
        """Begin without connections.

        Args:
            settings: of the server.
            poller: of the worker.
            request_metrics: counts and logs the responses.
            closed: called when a connection has ended.

        """
        self.poller = poller
        self.max_header_bytes = settings.max_header_bytes
        self.max_body_bytes = settings.max_body_bytes
        self.header_timeout = settings.header_timeout
        self.idle_timeout = settings.idle_timeout
        self.min_body_rate = settings.min_body_rate
        self.now = 0.0
        """When this turn of the event loop began; a time of ``time.monotonic``."""
        self._date = ""
        self._date_ends = 0.0
        self.begin_turn()
        self.body_bytes = 0
        """Memory that all bodies need, also when they are complete."""
        self.connections: set[Connection] = set()
        self.proceeding: list[Connection] = []
        """Connections that have answered a request and have received part of the next."""
        self._settings = settings
        self._metrics = request_metrics
        self._closed = closed
        self.maintenance_due = self.now + MAINTAIN_SECONDS
        self._ids = itertools.count(1)
        self._id_prefix = os.urandom(6).hex()

    def begin_turn(self) -> None:
        """Read the clock, once for the whole turn of the event loop."""
        self.now = time.monotonic()
        if self.now >= self._date_ends:
            seconds = time.time()
            self._date = response_writer.date(seconds)
            self._date_ends = self.now + 1 - seconds % 1

    def new_id(self) -> str:
        """Make a unique id for a request."""
        return f"{self._id_prefix}-{next(self._ids):x}"

    def take(self, connection: socket.socket) -> None:
        """Serve a connection that the supervisor has accepted."""
        over_limit = self._is_full() and not self._close_an_idle_one()
        try:
            if len(self.connections) >= self._settings.max_connections + EXTRA_CONNECTIONS:
                self._metrics.count_rejections("connections")
                raise ConnectionAbortedError
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            address = connection.getpeername()[0]
        except OSError:  # there are far too many, or the client has already closed it
            connection.close()
            self._closed()
            return
        self.connections.add(Connection(self, connection, address, over_limit))

    def forget(self, connection: Connection) -> None:
        """Drop a connection that is closed."""
        self.find_room(connection, 0)
        self.connections.discard(connection)
        self._closed()

    def proceed(self) -> None:
        """Continue with the requests that clients have pipelined."""
        proceeding, self.proceeding = self.proceeding, []
        for connection in proceeding:
            connection.proceed()

    # Answers

    def respond(self, request: Request, connection: Connection) -> None:
        """Send the response to a request. It is counted first, so the metrics include it."""
        job = request.job
        assert job is not None  # noqa: S101 - it is called when there is a response
        assert job.response is not None  # noqa: S101
        response = job.response
        keep_alive = self.may_keep(request, connection)
        self._metrics.count_response(request, response.status, len(response.body), response.error)
        connection.send(
            response_writer.render(response, request, keep_alive, self._date), keep_alive
        )

    def refuse(self, request: Request, error: ServeError, connection: Connection) -> None:
        """Refuse a request that has not been received completely."""
        response = error_response(error, routes.protocol_of(request.head.path))
        self._metrics.count_response(request, response.status, len(response.body), error)
        connection.send(
            response_writer.render(response, request, False, self._date), keep_alive=False
        )

    def may_keep(self, request: Request, connection: Connection) -> bool:
        """May the connection stay open after this request?"""
        return request.head.keep_alive and not (self.draining or connection.over_limit)

    def too_slow(self) -> ServeError:
        """The error for a request that is received too slowly."""
        return TooSlow(
            f"expected the head within {self.header_timeout:g} s, and the body"
            f" at {self.min_body_rate} bytes a second or more"
        )

    # Limits

    def find_room(self, connection: Connection, size: int) -> bool:
        """Count the body as so many bytes; is there room for it? A single body always fits."""
        self.body_bytes += size - connection.body_bytes
        connection.body_bytes = size
        return size <= SMALL_BODY or self.body_bytes <= max(self._settings.max_inflight_bytes, size)

    def maintain(self) -> None:
        """Close connections that are idle or too slow; called when it is due."""
        late = self.now - self.maintenance_due
        self.maintenance_due = self.now + MAINTAIN_SECONDS
        if late > STALL_SECONDS:  # this process was stopped, and has not read what clients sent
            return
        for connection in list(self.connections):
            connection.check_pace(self.now)

    def close_idle(self, seconds: float) -> None:
        """Close connections that have been idle for so many seconds."""
        for connection in list(self.connections):
            if not connection.is_busy and self.now - connection.last_active > seconds:
                connection.close()

    def _is_full(self) -> bool:
        return len(self.connections) >= self._settings.max_connections

    def _close_an_idle_one(self) -> bool:
        """Close the connection that has been idle for longest; False if all are in use."""
        idle = [connection for connection in self.connections if not connection.is_busy]
        longest = min(idle, key=lambda connection: connection.last_active, default=None)
        if longest is None or self.now - longest.last_active < RECENT_SECONDS:
            return False
        longest.close()
        return True
