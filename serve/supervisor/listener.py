"""The listening socket."""

import contextlib
import ctypes
import socket
import struct

from serve.errors import StartError
from serve.settings import Settings

BACKLOG = 1024
_SO_ATTACH_FILTER = 26  # Linux's; see its Documentation/networking/filter.rst
# A filter on the TCP header: load the flags, select SYN and ACK, drop if only SYN is set.
_DROP_SYN = struct.pack(
    "HBBI" * 5,
    *(0x30, 0, 0, 13),  # ldb [13]
    *(0x54, 0, 0, 0x12),  # and #0x12
    *(0x15, 0, 1, 0x02),  # jeq #0x02
    *(0x06, 0, 0, 0),  # ret #0
    *(0x06, 0, 0, 0xFFFFFFFF),  # ret #-1
)


def open_listener(settings: Settings) -> socket.socket:
    """Open the listening socket, non-blocking.

    Raises:
        StartError: the address is in use, or does not belong to this machine.

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


def refuse_new(listener: socket.socket) -> None:
    """Drop the first packet of each new connection; connections that have begun can be accepted.

    If the socket were closed at once, clients whose connections wait in the backlog would lose the
    requests that they have sent. Clients whose first packet is dropped try again after a second,
    when the port is closed.
    """
    program = ctypes.create_string_buffer(_DROP_SYN, len(_DROP_SYN))
    described = struct.pack("@HP", len(_DROP_SYN) // 8, ctypes.addressof(program))
    with contextlib.suppress(OSError):  # not every sandbox supports filters
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)
