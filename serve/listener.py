"""The listening socket."""

import socket

from serve.errors import StartError
from serve.settings import Settings

BACKLOG = 1024


def open_listener(settings: Settings) -> socket.socket:
    """Open the listening socket, non-blocking.

    Raises:
        StartError: the address is taken or not this machine's.

    """
    address = (settings.host, settings.port)
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such host name"
        raise StartError(
            f"cannot listen on {settings.host}:{settings.port}: {reason};"
            " choose another with --host and --port"
        ) from None
    listener.setblocking(False)
    return listener
