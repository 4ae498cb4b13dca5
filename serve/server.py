"""The HTTP server: waitress, set up for this service."""

import contextlib
import socket
import time
from typing import Any

import waitress
from flask import Flask
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import RequestEntityTooLarge

from serve import errors
from serve.errors import StartError
from serve.settings import Settings

BACKLOG = 1024
LINGER_SECONDS = 10.0


class _JsonErrorTask(ErrorTask):
    """What waitress refuses before the application sees it, in the one form of all errors."""

    def execute(self) -> None:
        error = self.request.error
        message = error.body
        if isinstance(error, RequestEntityTooLarge):
            message = f"expected a body of at most {self.channel.adj.max_request_body_size} bytes"
        self.channel.refused = True
        body = errors.body(message)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    """A connection that is closed gently after a request was refused while it still came in.

    Closing a socket with unread data in it resets the connection, and the client loses the
    answer. So the answer is followed by the end of the stream, and what still comes is thrown
    away for a while (RFC 9112, section 9.6).
    """

    error_task_class = _JsonErrorTask
    refused = False
    _linger_until = 0.0

    def readable(self) -> bool:
        return bool(self._linger_until) or bool(super().readable())

    def handle_read(self) -> None:
        if not self._linger_until:
            super().handle_read()
        elif self.recv(self.adj.recv_bytes) and time.monotonic() > self._linger_until:
            self.handle_close()

    def handle_close(self) -> None:
        if self.refused and not self._linger_until:
            self._linger_until = time.monotonic() + LINGER_SECONDS
            self.will_close = False
            with contextlib.suppress(OSError):  # the client is gone: the next read ends it
                self.socket.shutdown(socket.SHUT_WR)
        else:
            super().handle_close()


def listen(settings: Settings) -> socket.socket:
    """Open the listening socket.

    Raises:
        StartError: the address is taken or not this machine's.

    """
    address = (settings.host, settings.port)
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror};"
            " choose another with --host and --port"
        ) from None


def create(app: Flask, listener: socket.socket, settings: Settings) -> TcpWSGIServer:
    """Make the server; ``run()`` serves until SystemExit or KeyboardInterrupt."""
    adjustments: dict[str, Any] = {
        "sockets": [listener],
        "threads": settings.threads,
        "max_request_body_size": settings.max_body_bytes,
        # A body that is allowed is kept in memory; the default puts it into a file from 512 KiB.
        "inbuf_overflow": settings.max_body_bytes + 1,
        "recv_bytes": 65536,  # the default, 8192, reads a large body in many small steps
        "connection_limit": 1000,  # the default, 100, is less than one load balancer may open
        "asyncore_use_poll": True,  # select() fails beyond 1,024 open files
        "backlog": BACKLOG,
        "ident": None,  # no Server header
    }
    server = waitress.create_server(app, **adjustments)
    server.channel_class = _Channel
    return server
