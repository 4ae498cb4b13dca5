"""What a connection needs of the server that owns it."""

from typing import Protocol, TypeVar

from serve.errors import ServeError
from serve.http.poller import Poller
from serve.http.request import Request

C = TypeVar("C")
"""A connection."""
C_contra = TypeVar("C_contra", contravariant=True)


class Dispatcher(Protocol[C_contra]):
    """Answers the requests of connections."""

    def check(self, request: Request, connection: C_contra) -> ServeError | None:
        """The error if a request is refused because of its head, else None."""

    def handle(self, request: Request, connection: C_contra) -> None:
        """Answer a complete request, now or later."""


class ConnectionOwner(Protocol[C]):
    """What connections share: the poller, the clock, the limits and the dispatcher."""

    poller: Poller
    dispatcher: Dispatcher[C]
    now: float
    """When this turn of the event loop began; a time of ``time.monotonic``."""
    max_header_bytes: int
    max_body_bytes: int
    header_timeout: float
    idle_timeout: float
    min_body_rate: int
    body_bytes: int
    """Memory that all bodies need, also when they are complete."""
    proceeding: list[C]
    """Connections that have answered a request and have received part of the next."""

    def new_id(self) -> str:
        """Make an id for a request."""

    def find_room(self, connection: C, size: int) -> bool:
        """Count the connection's body as ``size`` bytes; is there memory for it?"""

    def refuse(self, request: Request, error: ServeError, connection: C) -> None:
        """Refuse a request that has not been received completely."""

    def too_slow(self) -> ServeError:
        """The error for a request that is received too slowly."""

    def forget(self, connection: C) -> None:
        """Drop a connection that is closed."""
