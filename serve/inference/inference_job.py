"""One request for inference on its way through the server."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from serve.errors import ServeError
from serve.models.session import Model
from serve.protocols.interface import Dialect, Request
from serve.protocols.response import Answer


def _stays() -> bool:
    return False


@dataclass(eq=False)
class Job:
    """A request: what came, how far it is, and in the end its answer.

    A job is made for each request: what it does not begin with costs nothing until it is set.
    """

    dialect: Dialect
    body: bytes
    headers: Mapping[str, str]
    """By the names that WSGI gives them, less ``HTTP_``."""
    gone: Callable[[], bool] = _stays
    """Has the client closed the connection?"""
    arrived: float = field(default_factory=time.monotonic)
    model: Model | None = None
    """Who is asked; it stays so even when another version comes meanwhile."""
    deadline: float = float("inf")
    """When nobody waits for the answer any more; a time like ``arrived``."""
    due: float = field(default=0.0, init=False)
    """When it has waited long enough for others to share its run."""
    parsed: Request | None = field(default=None, init=False)
    """Only where the request is valid."""
    answer: Answer | None = field(default=None, init=False)
    key: str = field(default="", init=False)
    """Name of the API key that came with it."""
    parse_seconds: float = field(default=0.0, init=False)
    queue_seconds: float = field(default=0.0, init=False)
    """Waiting for its turn, and then for the others of its run to be parsed."""
    infer_seconds: float = field(default=0.0, init=False)
    """Of the run, which may be shared."""
    render_seconds: float = field(default=0.0, init=False)

    def came_in(self, now: float) -> None:
        """Its time begins now, when it has come in whole."""
        self.deadline += now - self.arrived
        self.arrived = now

    def refuse(self, error: ServeError) -> None:
        """Answer why there is no other answer."""
        self.answer = refusal(error, self.dialect)

    def server_timing(self) -> str:
        """How long each step took, in milliseconds (W3C Server Timing)."""
        return (
            f"parse;dur={self.parse_seconds * 1e3:.3f}, queue;dur={self.queue_seconds * 1e3:.3f}, "
            f"infer;dur={self.infer_seconds * 1e3:.3f}, render;dur={self.render_seconds * 1e3:.3f}"
        )


def refusal(error: ServeError, dialect: Dialect) -> Answer:
    """The answer that says, in the words of a dialect, why there is no other.

    It keeps the error. What that refers to would stay with it: the frames that it went through, and
    in them the request with its body, and this answer. Only the garbage collector ends such a ring,
    and it counts objects, not bytes.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return Answer(error.status, dialect.refuse(error), headers=error.headers, error=error)
