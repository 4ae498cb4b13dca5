"""The response to a request."""

from dataclasses import dataclass

from serve.errors import ServeError

JSON = "application/json"

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Response:
    """An HTTP status, a body, and headers besides the usual ones."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Headers = ()
    error: ServeError | None = None
    """Why the request is refused, for the log and the metrics."""
