"""The HTTP server: waitress, set up for this service."""

import socket
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


class _JsonErrorTask(ErrorTask):
    """What waitress refuses before the application sees it, in the one form of all errors."""

    def execute(self) -> None:
        error = self.request.error
        message = error.body
        if isinstance(error, RequestEntityTooLarge):
            message = f"expected a body of at most {self.channel.adj.max_request_body_size} bytes"
        body = errors.body(message)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    error_task_class = _JsonErrorTask


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
