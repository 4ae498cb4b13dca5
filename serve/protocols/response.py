"""What a request for inference gets."""

from dataclasses import dataclass

from serve.errors import ServeError

JSON = "application/json"

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Response:
    """An HTTP status, a body, and headers beside the usual ones."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Headers = ()
    error: ServeError | None = None
    """Why it is a refusal, for the log and the metrics."""
