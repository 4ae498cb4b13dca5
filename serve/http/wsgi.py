"""Answers requests other than inference with a WSGI application, through waitress.

waitress parses the bytes of the request again, creates the WSGI environment, and serializes the
response. It does not use the socket: it is called on the event loop as a function from bytes to
bytes. tests/serve/http/test_wsgi.py lists the parts of waitress that are used.
"""

import dataclasses
from collections.abc import Callable, Iterable

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask

from serve.errors import Malformed
from serve.http.request import Request
from serve.settings import Settings

Application = Callable[..., Iterable[bytes]]


@dataclasses.dataclass
class WrittenResponse:
    """A response that waitress has written."""

    data: bytes
    status: int
    size: int
    """Bytes of the body."""
    keep_alive: bool


class WaitressGateway:
    """From the bytes of a request to the bytes of a response; a waitress task's server."""

    def __init__(
        self, application: Application, address: tuple[str, int], settings: Settings
    ) -> None:
        """Prepare for requests to ``address``, the one that clients see."""
        self.application = application
        self.server_name, self.effective_port = address[0], str(address[1])
        self.adj = Adjustments(
            ident=None,  # no Server header
            # Both are checked before. waitress refuses a request of exactly this size.
            max_request_header_size=settings.max_header_bytes + 1,
            max_request_body_size=settings.max_body_bytes + 1,
            inbuf_overflow=settings.max_body_bytes + 1,  # no temporary file
        )

    def respond(self, request: Request, keep_alive: bool) -> WrittenResponse:
        """Let the application respond.

        Args:
            request: completely received.
            keep_alive: may the connection stay open?

        Raises:
            Malformed: waitress does not accept the request.

        """
        parser = HTTPRequestParser(self.adj)
        try:
            parser.received(request.raw_head)
        except ValueError:  # an invalid IPv6 address in the target
            raise Malformed(400, "expected a path that begins with a slash") from None
        if request.head.chunked:  # the chunks are already joined: send one chunk
            chunk = b"%x\r\n%b\r\n" % (request.size, request.body) if request.size else b""
            parser.received(chunk + b"0\r\n\r\n")
        elif request.size:
            parser.received(request.body)
        if parser.error:
            raise Malformed(parser.error.code, parser.error.body)
        channel = _Channel(self, request.client)
        task = WSGITask(channel, parser)
        task.response_headers += request.headers_of_answer()
        if not keep_alive:
            task.set_close_on_finish()
        task.service()
        parser.close()
        data = b"".join(channel.written)
        size = task.content_length or 0
        return WrittenResponse(data, int(task.status[:3]), size, not task.close_on_finish)


class _Channel:
    """The connection of a waitress task."""

    def __init__(self, server: WaitressGateway, client: str) -> None:
        self.server = server
        self.adj = server.adj
        self.addr = (client, 0)
        self.written: list[bytes] = []

    def write_soon(self, data: bytes) -> None:
        """Collect what the task writes."""
        self.written.append(data)

    def check_client_disconnected(self) -> bool:
        """Always False; the application does not use it."""
        return False
