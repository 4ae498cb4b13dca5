"""The HTTP server of one worker: waitress, set up for this service, without a listener.

Connections are accepted by the supervisor and given to ``take``.
"""

import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from serve.channel import Channel
from serve.settings import Settings


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
        closed: Callable[[], None],
    ) -> None:
        self._address = address
        self.closed = closed
        adjustments = Adjustments(
            # waitress refuses a body of exactly this size already
            max_request_body_size=settings.max_body_bytes + 1,
            # A body that is allowed stays in memory; the default uses a file from 512 KiB on.
            inbuf_overflow=settings.max_body_bytes + 1,
            recv_bytes=262144,  # the default, 8192, takes a large body in many turns of the loop
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

    def getsockname(self) -> tuple[str, str]:
        """The address that clients see, for the WSGI environment."""
        return self._address[0], str(self._address[1])

    def take(self, connection: socket.socket) -> None:
        """Serve an accepted connection."""
        try:
            connection.setblocking(False)
            self.set_socket_options(connection)
            peer = connection.getpeername()
        except OSError:  # the client has gone again
            connection.close()
            self.closed()
            return
        Channel(self, connection, peer, self.adj, map=self._map)

    def pull_trigger(self) -> None:
        """Wake the loop. Without threads it is awake whenever a request runs."""
