"""A request while it comes in: waitress's parser, with a clock and an eye on memory."""

import io
import re
import time
from typing import TYPE_CHECKING, Any

from waitress.parser import HTTPRequestParser

from serve import routes
from serve.errors import Busy
from serve.job import Job
from serve.routes import Route

if TYPE_CHECKING:
    from serve.server import Server


_ID = re.compile(r"[!-~]{1,128}")
_SMALL = 65536  # bytes of a body that is not worth asking whether there is room


class Body:
    """A body as it comes in: the pieces that the socket gave, not copied until they are joined."""

    _SHORT = 4096

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, piece: bytes) -> None:
        """Take a piece; short ones are joined at once, for each takes memory beside its bytes."""
        self._length += len(piece)
        if self._pieces and len(self._pieces[-1]) < self._SHORT:
            self._pieces[-1] += piece
        else:
            self._pieces.append(piece)

    def getfile(self) -> io.BytesIO:
        """All that has come, as WSGI wants it."""
        return io.BytesIO(b"".join(self._pieces))

    def take(self) -> bytes:
        """All that has come, which is then forgotten."""
        whole = b"".join(self._pieces)
        self.close()
        return whole

    def close(self) -> None:
        """Forget it."""
        self._pieces.clear()


class Request(HTTPRequestParser):
    """One request of one connection, from its first byte on."""

    error: Any = None
    """Why it is refused: a ``ServeError``, or an error of waitress's own."""
    path = ""
    command = ""
    query = ""
    route: tuple[Route, dict[str, str]] | None = None
    """What it asks for, and the parameters in its path."""
    job: Job | None = None
    """Only where it is one for inference."""

    def __init__(self, server: "Server") -> None:
        super().__init__(server.adj)
        self.started = time.monotonic()
        self._server = server
        self._has_room = False
        self._id = ""

    @property
    def begun(self) -> bool:
        """Has more come than an empty line, which some clients send after a body?"""
        return bool(self.headers_finished or self.header_plus.strip())

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head; the body then goes where it is not copied more than needed."""
        super().parse_header(header_plus)
        self.path = "/" + self.path.lstrip("/")  # as WSGI has it: else //predict is another route
        self.route = routes.match(self.command, self.path)
        if self.body_rcv is not None:
            self.body_rcv.buf = Body()

    def take_body(self) -> bytes:
        """The body, which is then no longer kept here."""
        return b"" if self.body_rcv is None else bytes(self.body_rcv.getbuf().take())

    def received(self, data: bytes) -> int:
        """Take what came; returns how many of the bytes were of this request."""
        taken = int(super().received(data))
        if self.headers_finished and not self.completed and not self._has_room:
            self._find_room()
        if self.completed:
            # Else waitress would ask for the body of a request that is refused, or that has none.
            self.expect_continue = False
        return taken

    @property
    def id(self) -> str:
        """The client's X-Request-Id where it sent a proper one, else one of ours."""
        if not self._id:
            given = self.headers.get("X_REQUEST_ID", "")
            self._id = given if _ID.fullmatch(given) else self._server.new_id()
        return self._id

    @property
    def held(self) -> int:
        """Bytes of memory that its body takes, or will."""
        return max(int(self.content_length), int(self.body_bytes_received))

    def _find_room(self) -> None:
        if self.held <= _SMALL or self._server.has_room(self):
            self._has_room = not self.chunked  # whose length is not known in advance
        else:
            self.error = Busy("memory", "other requests take the memory that this body needs")
            self.completed = True
