"""One request for inference on its way through the server."""

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
    """A request: what came, how far it is, and in the end its answer.

    A job is made for each request: what it does not begin with costs nothing until it is set.
    """

    protocol: InferenceProtocol
    body: bytes
    headers: Mapping[str, str]
    """By the names that WSGI gives them, less ``HTTP_``."""
    is_disconnected: Callable[[], bool] = _stays
    """Has the client closed the connection?"""
    arrived: float = field(default_factory=time.monotonic)
    model: Model | None = None
    """Who is asked; it stays so even when another version comes meanwhile."""
    deadline: float = float("inf")
    """When nobody waits for the answer any more; a time like ``arrived``."""
    due: float = field(default=0.0, init=False)
    """When it has waited long enough for others to share its run."""
    decoded: DecodedRequest | None = field(default=None, init=False)
    """Only where the request is valid."""
    response: Response | None = field(default=None, init=False)
    key: str = field(default="", init=False)
    """Name of the API key that came with it."""
    parse_seconds: float = field(default=0.0, init=False)
    queue_seconds: float = field(default=0.0, init=False)
    """Waiting for its turn, and then for the others of its run to be parsed."""
    infer_seconds: float = field(default=0.0, init=False)
    """Of the run, which may be shared."""
    render_seconds: float = field(default=0.0, init=False)

    def set_received(self, now: float) -> None:
        """Its time begins now, when it has come in whole."""
        self.deadline += now - self.arrived
        self.arrived = now

    def refuse(self, error: ServeError) -> None:
        """Answer why there is no other answer."""
        self.response = error_response(error, self.protocol)

    def server_timing(self) -> str:
        """How long each step took, in milliseconds (W3C Server Timing)."""
        return (
            f"parse;dur={self.parse_seconds * 1e3:.3f}, queue;dur={self.queue_seconds * 1e3:.3f}, "
            f"infer;dur={self.infer_seconds * 1e3:.3f}, render;dur={self.render_seconds * 1e3:.3f}"
        )


def error_response(error: ServeError, protocol: InferenceProtocol) -> Response:
    """The answer that says, in the words of a dialect, why there is no other.

    It keeps the error. What that refers to would stay with it: the frames that it went through, and
    in them the request with its body, and this answer. Only the garbage collector ends such a ring,
    and it counts objects, not bytes.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return Response(error.status, protocol.refuse(error), headers=error.headers, error=error)
