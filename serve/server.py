"""The HTTP server of one worker: waitress, set up for this service, without a listener.

Connections are accepted by the supervisor and given to ``take``; ``maintenance`` ends those that
take too long.
"""

import itertools
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from serve.channel import Channel
from serve.errors import TooSlow
from serve.observer import Observer
from serve.request import Request
from serve.settings import Settings

SURPLUS = 32  # connections beyond the limit that get an answer before they are closed
LATE = 3.0  # seconds between two rounds of maintenance, which shall be one
RECENTLY = 1.0  # seconds in which a connection between two requests is thought to be in use


class Server(TcpWSGIServer):
    """Connections, their requests, and the dispatcher that runs them."""

    channel_class = Channel
    draining = False

    def __init__(
        self,
        app: Flask,
        address: tuple[str, int],
        settings: Settings,
        dispatcher: Any,
        observer: Observer,
        closed: Callable[[], None],
    ) -> None:
        self._address = address
        self._ids = itertools.count(1)
        self._id_prefix = os.urandom(6).hex()
        self.answered = observer.answered
        self.rejected = observer.rejected
        self._settings = settings
        self._maintained = time.time()
        self.closed = closed
        adjustments = Adjustments(
            # waitress refuses a body or a head of exactly this size already
            max_request_body_size=settings.max_body_bytes + 1,
            max_request_header_size=settings.max_head_bytes + 1,
            # A body that is allowed stays in memory; the default uses a file from 512 KiB on.
            inbuf_overflow=settings.max_body_bytes + 1,
            recv_bytes=262144,  # the default, 8192, takes a large body in many turns of the loop
            cleanup_interval=1,
            # Above it waitress waits for the client, on the thread that would notice it reading;
            # ``Channel.write_soon`` has a limit instead.
            outbuf_high_watermark=sys.maxsize,
            ident=None,  # no Server header
        )
        super().__init__(
            app,
            _start=False,  # accepts nothing by itself
            _sock=socket.socket(),
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=(socket.AF_INET, socket.SOCK_STREAM, 0, address),
            bind_socket=False,
        )

    @property
    def sockets(self) -> dict[int, Any]:
        """What the event loop polls, by file descriptor."""
        sockets: dict[int, Any] = self._map
        return sockets

    @property
    def channels(self) -> list[Channel]:
        """The open connections."""
        return list(self.active_channels.values())

    def getsockname(self) -> tuple[str, str]:
        """The address that clients see, for the WSGI environment."""
        return self._address[0], str(self._address[1])

    def new_id(self) -> str:
        """An id for a request, unlike any other's."""
        return f"{self._id_prefix}-{next(self._ids):x}"

    def take(self, connection: socket.socket) -> None:
        """Serve an accepted connection."""
        surplus = self._is_full() and not self._close_an_idle_one()
        try:
            if len(self.channels) >= self._settings.max_connections + SURPLUS:
                self.rejected("connections")
                raise ConnectionAbortedError
            connection.setblocking(False)
            self.set_socket_options(connection)
            peer = connection.getpeername()
        except OSError:  # there are far too many, or the client has gone again
            connection.close()
            self.closed()
            return
        Channel(self, connection, peer, self.adj, map=self._map).surplus = surplus

    def _is_full(self) -> bool:
        return len(self.channels) >= self._settings.max_connections

    def _close_an_idle_one(self) -> bool:
        """Close the connection that has been idle for longest, if one is not in use."""
        idle = [channel for channel in self.channels if not channel.busy]
        longest = min(idle, key=lambda channel: channel.last_activity, default=None)
        if longest is None or not longest.silent_since(time.time() - RECENTLY):
            return False
        longest.handle_close()
        return True

    def has_room(self, request: Request) -> bool:
        """May a body be taken in, beside all that is held? One by itself always may."""
        held = sum(channel.held for channel in self.channels)
        return held <= max(self._settings.max_held_bytes, request.held)

    def maintenance(self, now: float) -> None:
        """Close the connections of clients that are silent, or too slow; called every second.

        Args:
            now: by ``time.time``.

        """
        late, self._maintained = now - self._maintained > LATE, now
        if late:  # what clients sent while this process stood still has not been read yet
            return
        silent = now - self._settings.idle_timeout
        for channel in self.channels:
            if channel.silent_since(silent) or channel.lingers_too_long():
                channel.handle_close()
            elif channel.request is not None and self._is_slow(channel.request):
                channel.refuse(
                    TooSlow(
                        f"expected the head within {self._settings.head_timeout:g} s, and the body"
                        f" at {self._settings.min_body_rate} bytes a second or more"
                    )
                )

    def _is_slow(self, request: Request) -> bool:
        if not request.begun:
            return False
        settings = self._settings
        allowed = settings.head_timeout + request.body_bytes_received / settings.min_body_rate
        return bool(time.monotonic() - request.started > allowed)

    def pull_trigger(self) -> None:
        """Wake the loop. Without threads it is awake whenever a request runs."""
        if self._settings.threads:
            super().pull_trigger()
