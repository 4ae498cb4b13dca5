"""A request while it comes in: waitress's parser, with a clock and an eye on memory."""

import time
from typing import TYPE_CHECKING, Any

from waitress.parser import HTTPRequestParser

from serve.errors import Busy
from serve.job import Job

if TYPE_CHECKING:
    from serve.server import Server


class Request(HTTPRequestParser):
    """One request of one connection, from its first byte on."""

    error: Any = None
    """Why it is refused: a ``ServeError``, or an error of waitress's own."""
    path = ""
    command = ""
    job: Job | None = None
    """Only where it is one for inference."""

    def __init__(self, server: "Server") -> None:
        super().__init__(server.adj)
        self.started = time.monotonic()
        self._server = server
        self._has_room = False

    def received(self, data: bytes) -> int:
        """Take what came; returns how many of the bytes were of this request."""
        taken = int(super().received(data))
        if self.headers_finished and not self.completed and not self._has_room:
            self._find_room()
        if self.error:
            # Else waitress would ask the client to go on, and the body would be read after all.
            self.expect_continue = False
        return taken

    @property
    def held(self) -> int:
        """Bytes of memory that its body takes, or will."""
        return max(int(self.content_length), int(self.body_bytes_received))

    def _find_room(self) -> None:
        if self._server.has_room(self):
            self._has_room = not self.chunked  # whose length is not known in advance
        else:
            self.error = Busy("busy: other requests take the memory that this body needs")
            self.completed = True
