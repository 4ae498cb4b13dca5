"""One request for inference on its way through the server, and the answer it gets."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from serve.errors import ServeError
from serve.protocols import predict


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status, a JSON body, and headers beside the usual ones."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    rejection: str = ""
    """Why the request was turned away, for the metrics."""


def error_body(message: str) -> bytes:
    """The JSON form that every refused request gets: ``{"error": message}``."""
    return orjson.dumps({"error": message})


def refusal(error: ServeError) -> Answer:
    """The answer that says why there is no other."""
    return Answer(error.status, error_body(str(error)), error.headers, error.rejection)


def _stays() -> bool:
    return False


@dataclass(slots=True, eq=False)
class Job:
    """A request: what came, how far it is, and in the end its answer."""

    body: bytes
    gone: Callable[[], bool] = _stays
    """Has the client closed the connection?"""
    arrived: float = field(default_factory=time.monotonic)
    deadline: float = float("inf")
    """When nobody waits for the answer any more; a time like ``arrived``."""
    due: float = 0.0
    """When it has waited long enough for others to share its run."""
    parsed: predict.Request | None = None
    """Only where the request is valid."""
    answer: Answer | None = None
    key: str = ""
    """Name of the API key that came with it."""
    parse_seconds: float = 0.0
    queue_seconds: float = 0.0
    """Waiting for its turn, and then for the others of its run to be parsed."""
    infer_seconds: float = 0.0
    """Of the run, which may be shared."""
    render_seconds: float = 0.0

    def server_timing(self) -> str:
        """How long each step took, in milliseconds (W3C Server Timing)."""
        return (
            f"parse;dur={self.parse_seconds * 1e3:.3f}, queue;dur={self.queue_seconds * 1e3:.3f}, "
            f"infer;dur={self.infer_seconds * 1e3:.3f}, render;dur={self.render_seconds * 1e3:.3f}"
        )
