"""Requests that are not for inference, answered by waitress and a WSGI application.

waitress parses the bytes of the request again, makes the WSGI environment, and writes the answer.
It neither reads nor writes the socket: it is used as a function from bytes to bytes, on the event
loop. Of its objects nothing else is used than tests/serve/http/test_wsgi.py says.
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
    """What waitress wrote."""

    data: bytes
    status: int
    size: int
    """Bytes of the body."""
    keep_alive: bool


class WaitressGateway:
    """From a request's bytes to an answer's.

    A waitress task sees it as its server.
    """

    def __init__(
        self, application: Application, address: tuple[str, int], settings: Settings
    ) -> None:
        """Prepare for requests to ``address``, as clients see it."""
        self.application = application
        self.server_name, self.effective_port = address[0], str(address[1])
        self.adj = Adjustments(
            ident=None,  # no Server header
            # Both are checked before; waitress refuses what has exactly the size.
            max_request_header_size=settings.max_header_bytes + 1,
            max_request_body_size=settings.max_body_bytes + 1,
            inbuf_overflow=settings.max_body_bytes + 1,  # no temporary file
        )

    def respond(self, request: Request, keep_alive: bool) -> WrittenResponse:
        """Have the application answer.

        Args:
            request: that has come in whole.
            keep_alive: may the connection stay open?

        Raises:
            Malformed: waitress does not take it.

        """
        parser = HTTPRequestParser(self.adj)
        try:
            parser.received(request.raw_head)
        except ValueError:  # an IPv6 address in the target that is none
            raise Malformed(400, "expected a path that begins with a slash") from None
        if request.head.chunked:  # the chunks are read already: the body comes as a single one
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
    """What a waitress task sees as its connection."""

    def __init__(self, server: WaitressGateway, client: str) -> None:
        self.server = server
        self.adj = server.adj
        self.addr = (client, 0)
        self.written: list[bytes] = []

    def write_soon(self, data: bytes) -> None:
        """Keep what the task writes."""
        self.written.append(data)

    def check_client_disconnected(self) -> bool:
        """Say no: the application has no use for it."""
        return False
