"""Every way a request can be refused, each with its HTTP status.

    bytes ──admission──▶ queue ──protocol──▶ arrays ──tensors──▶ valid arrays ──model──▶ answers
      │ 401, 429           │ 504 TimedOut     │ 400 BadRequest, 413 TooLarge     └─ 504 TimedOut
      └─ 408 TooSlow, 413 and 431 (before it has come in whole)

A refusal costs its own request alone, never another one or the worker.
"""

INTERNAL = "internal error; the server's log says more"


_LONGEST_QUOTE = 200
_LONGEST_MESSAGE = 600  # characters; a line of the access log has room for them


def quoted(text: object) -> str:
    """A client's text as a message may repeat it: on one line, and of at most 200 characters."""
    whole = str(text)
    shown = repr(whole[:_LONGEST_QUOTE])
    cut = len(whole) > _LONGEST_QUOTE or len(shown) > _LONGEST_QUOTE + 2
    return f"{shown[:_LONGEST_QUOTE]}…" if cut else shown


class ServeError(Exception):
    """A request that is refused.

    What the message repeats of the request is ``quoted``, for logs have it too.
    """

    status = 500
    headers: tuple[tuple[str, str], ...] = ()
    rejection = ""
    """In the metrics, the reason why a request was turned away that might have been valid."""

    def __init__(self, message: str) -> None:
        """Say why; of a very long message, which lists many models, only the beginning."""
        super().__init__(message[:_LONGEST_MESSAGE])


class BadRequest(ServeError):
    """What came is not what the route takes."""

    status = 400


class Malformed(ServeError):
    """What came is not HTTP as it should be."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Internal(ServeError):
    """A fault of ours, or of the model's."""


class Forbidden(ServeError):
    """Nobody may, as this server is set up."""

    status = 403


class NotFound(ServeError):
    """There is no such model or version."""

    status = 404


class UnknownType(ServeError):
    """The body is of a media type, or in an encoding, that the route does not take."""

    status = 415


class Unsupported(ServeError):
    """It is asked as it may be, but not served here."""

    status = 501


class Unavailable(ServeError):
    """There is such a model, but it can't be served, for now at least."""

    status = 503


class TooSlow(ServeError):
    """A request that takes too long to come in."""

    status = 408
    rejection = "slow"


class TooLarge(ServeError):
    """More rows or bytes than this server takes at once."""

    status = 413


class Unauthorized(ServeError):
    """The request brought no valid key."""

    status = 401
    headers = (("WWW-Authenticate", "Bearer"),)
    rejection = "key"


class Busy(ServeError):
    """There is more to do than can be done soon; the client should come again."""

    status = 429
    headers = (("Retry-After", "1"),)

    def __init__(self, rejection: str, message: str) -> None:
        super().__init__(f"busy: {message}")
        self.rejection = rejection


class ClientDisconnected(ServeError):
    """The connection was closed before the answer; nginx's status for it, seen in logs alone."""

    status = 499
    rejection = "client_disconnected"


class TimedOut(ServeError):
    """The answer would come, or has come, after the request's deadline."""

    status = 504
    rejection = "deadline"


class StartError(Exception):
    """The server can't start as it was told to; one line for people."""
