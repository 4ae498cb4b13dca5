"""Every way a request can be refused, each with its HTTP status.

    bytes ──protocol──▶ arrays ──tensors──▶ valid arrays ──model──▶ answers
      │ 400 BadRequest    │ 400 BadRequest, 413 TooLarge
      └─ 413 TooLarge (before the body is read)

``inference`` makes answers of them, and ``channel`` of what waitress refuses itself.
"""

import orjson

INTERNAL = "internal error; the server's log says more"


class ServeError(Exception):
    """A request that is refused; the message echoes at most one number of what the client sent."""

    status = 500


class BadRequest(ServeError):
    """What came is not what the route takes."""

    status = 400


class TooLarge(ServeError):
    """More rows or bytes than this server takes at once."""

    status = 413


class StartError(Exception):
    """The server can't start as it was told to; one line for people."""


def body(message: str) -> bytes:
    """The JSON form that every refused request gets: ``{"error": message}``."""
    return orjson.dumps({"error": message})
