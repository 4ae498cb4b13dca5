"""One inference request on its way through the server."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from serve.errors import ServeError
from serve.models.session import Model
from serve.protocols.interface import DecodedRequest, InferenceProtocol
from serve.protocols.response import Response


def _stays() -> bool:
    return False


@dataclass(eq=False)
class InferenceJob:
    """An inference request, its state, and in the end its response.

    There is one for each request, so attributes without an initial value cost no time.
    """

    protocol: InferenceProtocol
    body: bytes
    headers: Mapping[str, str]
    """By their names in WSGI, without ``HTTP_``."""
    is_disconnected: Callable[[], bool] = _stays
    """Has the client closed the connection?"""
    arrived: float = field(default_factory=time.monotonic)
    model: Model | None = None
    """The requested model; it stays the same if a new version comes into service."""
    deadline: float = float("inf")
    """When the response is too late; a time like ``arrived``."""
    due: float = field(default=0.0, init=False)
    """When it has waited long enough for others to join its batch."""
    decoded: DecodedRequest | None = field(default=None, init=False)
    """Only of a valid request."""
    response: Response | None = field(default=None, init=False)
    key: str = field(default="", init=False)
    """Name of its API key."""
    parse_seconds: float = field(default=0.0, init=False)
    queue_seconds: float = field(default=0.0, init=False)
    """In the queue, and then until the other requests of its batch are decoded."""
    infer_seconds: float = field(default=0.0, init=False)
    """Of the run of the whole batch."""
    render_seconds: float = field(default=0.0, init=False)

    def set_received(self, now: float) -> None:
        """Start its deadline now, when the whole request has been received."""
        self.deadline += now - self.arrived
        self.arrived = now

    def refuse(self, error: ServeError) -> None:
        """Set an error as its response."""
        self.response = error_response(error, self.protocol)

    def server_timing(self) -> str:
        """Milliseconds of each step (W3C Server Timing)."""
        return (
            f"parse;dur={self.parse_seconds * 1e3:.3f}, queue;dur={self.queue_seconds * 1e3:.3f}, "
            f"infer;dur={self.infer_seconds * 1e3:.3f}, render;dur={self.render_seconds * 1e3:.3f}"
        )


def error_response(error: ServeError, protocol: InferenceProtocol) -> Response:
    """The response for an error, in the form of a protocol.

    It contains the error. The traceback of the error would refer to frames, and those to the
    request with its body and to this response. Only the garbage collector would free such a cycle,
    and it counts objects, not bytes.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return Response(error.status, protocol.refuse(error), headers=error.headers, error=error)
