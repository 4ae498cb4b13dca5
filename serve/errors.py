"""Every way a request can be refused, each with its HTTP status.

    bytes ──admission──▶ queue ──protocol──▶ arrays ──tensors──▶ valid arrays ──model──▶ answers
      │ 401, 429           │ 504 TimedOut     │ 400 BadRequest, 413 TooLarge     └─ 504 TimedOut
      └─ 408 TooSlow, 413 and 431 (before it has come in whole)

A refusal costs its own request alone, never another one or the worker.
"""

INTERNAL = "internal error; the server's log says more"


class ServeError(Exception):
    """A request that is refused; the message echoes at most one number of what the client sent."""

    status = 500
    headers: tuple[tuple[str, str], ...] = ()
    rejection = ""
    """In the metrics, the reason why a request was turned away that might have been valid."""


class BadRequest(ServeError):
    """What came is not what the route takes."""

    status = 400


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


class ClientGone(ServeError):
    """The connection was closed before the answer; nginx's status for it, seen in logs alone."""

    status = 499
    rejection = "client gone"


class TimedOut(ServeError):
    """The answer would come, or has come, after the request's deadline."""

    status = 504
    rejection = "deadline"


class StartError(Exception):
    """The server can't start as it was told to; one line for people."""
