"""All reasons for which a request is refused, each with its HTTP status.

    bytes ──admission──▶ queue ──protocol──▶ arrays ──tensors──▶ valid arrays ──model──▶ responses
      │ 401, 429           │ 504 TimedOut     │ 400 BadRequest, 413 TooLarge     └─ 504 TimedOut
      └─ 408 TooSlow, 413 and 431 (before the whole request has been received)

An error affects only its own request, never another one or the worker.
"""

INTERNAL = "internal error; the server's log says more"

_MAX_QUOTED = 200  # characters
_MAX_MESSAGE = 600  # characters; they fit into a line of the access log


def quoted(text: object) -> str:
    """A client's text for use in a message: on one line, and at most 200 characters long."""
    whole = str(text)
    shown = repr(whole[:_MAX_QUOTED])
    cut = len(whole) > _MAX_QUOTED or len(shown) > _MAX_QUOTED + 2
    return f"{shown[:_MAX_QUOTED]}…" if cut else shown


class ServeError(Exception):
    """A request is refused.

    Text of the request in the message must be ``quoted``, because the message is also logged.
    """

    status = 500
    headers: tuple[tuple[str, str], ...] = ()
    rejection = ""
    """The reason in the metrics, if a request is refused that might be valid."""

    def __init__(self, message: str) -> None:
        """Keep the message; one that lists very many models is cut."""
        super().__init__(message[:_MAX_MESSAGE])


class BadRequest(ServeError):
    """The request is not what the route accepts."""

    status = 400


class Malformed(ServeError):
    """The request is not valid HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Internal(ServeError):
    """A bug of the server, or a failure of the model."""


class Forbidden(ServeError):
    """The settings of this server allow it to nobody."""

    status = 403


class NotFound(ServeError):
    """The model or version does not exist."""

    status = 404


class UnknownType(ServeError):
    """The route does not accept the media type or the content encoding of the body."""

    status = 415


class Unsupported(ServeError):
    """The request is valid, but this server does not support it."""

    status = 501


class Unavailable(ServeError):
    """The model exists, but can't be served now."""

    status = 503


class TooSlow(ServeError):
    """The request is received too slowly."""

    status = 408
    rejection = "slow"


class TooLarge(ServeError):
    """The request has more rows or bytes than the server accepts."""

    status = 413


class Unauthorized(ServeError):
    """The request has no valid API key."""

    status = 401
    headers = (("WWW-Authenticate", "Bearer"),)
    rejection = "key"


class Busy(ServeError):
    """The server is overloaded; the client should try again."""

    status = 429
    headers = (("Retry-After", "1"),)

    def __init__(self, rejection: str, message: str) -> None:
        super().__init__(f"busy: {message}")
        self.rejection = rejection


class ClientDisconnected(ServeError):
    """The client closed the connection before the response; only logs show this status."""

    status = 499  # as in nginx
    rejection = "client_disconnected"


class TimedOut(ServeError):
    """The response is not ready before the deadline of the request."""

    status = 504
    rejection = "deadline"


class StartError(Exception):
    """The server can't start with these settings; the message is one line for people."""
