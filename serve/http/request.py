"""One request, from its first byte to its response."""

import re
from collections.abc import Callable

from serve.http.request_head import Head
from serve.inference.inference_job import InferenceJob

_ID = re.compile(r"[!-~]{1,128}")


class Request:
    """What the response, the metrics and the log need of a request."""

    body = b""
    size = 0
    """Bytes of the body that have been received."""
    job: InferenceJob | None = None
    """Only of a request for inference, or to load or unload a model."""
    _id = ""

    def __init__(
        self,
        head: Head,
        raw_head: bytes,
        client: str,
        started: float,
        new_id: Callable[[], str],
    ) -> None:
        """Begin, without a body yet.

        Args:
            head: parsed.
            raw_head: its bytes.
            client: address of the client.
            started: when the first byte was received; a time of ``time.monotonic``.
            new_id: makes an id if the client sent none.

        """
        self.head = head
        self.raw_head = raw_head
        self.client = client
        self.started = started
        self._new_id = new_id

    @property
    def id(self) -> str:
        """The client's X-Request-Id if it is valid, else a new one."""
        if not self._id:
            given = self.head.headers.get("X_REQUEST_ID")
            self._id = given if given and _ID.fullmatch(given) else self._new_id()
        return self._id

    def headers_of_answer(self) -> list[tuple[str, str]]:
        """Headers that every answer to this request has."""
        trace = [("traceparent", self.head.traceparent)] if self.head.traceparent else []
        return [("X-Request-Id", self.id), *trace]
