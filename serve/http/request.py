"""One request, from its first byte to its answer."""

import re
from collections.abc import Callable

from serve.http.request_head import Head
from serve.inference.inference_job import InferenceJob

_ID = re.compile(r"[!-~]{1,128}")


class Request:
    """What is known of a request, for its answer, the metrics and the log."""

    body = b""
    size = 0
    """Bytes of the body that have come."""
    job: InferenceJob | None = None
    """Only where it is one for inference, or for the supervisor."""
    _id = ""

    def __init__(
        self,
        head: Head,
        raw_head: bytes,
        client: str,
        started: float,
        new_id: Callable[[], str],
    ) -> None:
        """Begin, without a body as yet.

        Args:
            head: as it was parsed.
            raw_head: the bytes of it.
            client: its address.
            started: when its first byte came; a time of ``time.monotonic``.
            new_id: makes an id where the client gave none.

        """
        self.head = head
        self.raw_head = raw_head
        self.client = client
        self.started = started
        self._new_id = new_id

    @property
    def id(self) -> str:
        """The client's X-Request-Id where it sent a proper one, else one of ours."""
        if not self._id:
            given = self.head.headers.get("X_REQUEST_ID")
            self._id = given if given and _ID.fullmatch(given) else self._new_id()
        return self._id

    def headers_of_answer(self) -> list[tuple[str, str]]:
        """Headers that every answer to this request has."""
        trace = [("traceparent", self.head.traceparent)] if self.head.traceparent else []
        return [("X-Request-Id", self.id), *trace]
