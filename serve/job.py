"""One request for inference on its way through the server, and the answer it gets."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from serve import errors
from serve.errors import ServeError
from serve.protocols import predict


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status, a JSON body, and headers beside the usual ones."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def refusal(error: ServeError) -> Answer:
    """The answer that says why there is no other."""
    return Answer(error.status, errors.body(str(error)), error.headers)


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
    parsed: predict.Request | None = None
    """Only where the request is valid."""
    answer: Answer | None = None
