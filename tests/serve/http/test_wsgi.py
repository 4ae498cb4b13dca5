"""What is used of waitress, so that a release that changes it fails here first."""

import inspect
from random import Random
from typing import Any

import pytest
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.task import Task, WSGITask

from serve import command_line
from serve.errors import Malformed
from serve.http.request import Request
from serve.http.request_head import parse
from serve.http.wsgi import WaitressGateway, _Channel

ADDRESS = ("127.0.0.1", 8080)


class Watched:
    """Hands through what is asked of an object, and notes it."""

    def __init__(self, behind: Any, seen: set[str], prefix: str) -> None:
        self.__dict__.update(behind=behind, seen=seen, prefix=prefix)

    def __getattr__(self, name: str) -> Any:
        self.seen.add(self.prefix + name)
        value = getattr(self.behind, name)
        return Watched(value, self.seen, f"{name}.") if name in ("server", "adj") else value

    def __setattr__(self, name: str, value: Any) -> None:
        raise AssertionError(f"{self.prefix}{name} is set")


HEADS = (
    b"POST /v2/models/a%20b/infer?x=%31 HTTP/1.1\r\nHost: x:80\r\nContent-Length: 12\r\n"
    b"X-Request-Id: a\r\nAccept: a\r\nAccept:b\r\n\r\n",
    b"POST http://x/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET //metrics HTTP/1.0\r\nConnection: keep-alive\r\nX_Under: 1\r\n\r\n",
)
PIECES = [bytes([byte]) for byte in range(256)]
PIECES += [b"\r\n", b"\r\n ", b" :", b"Content-Length: 5\r\n", b"Transfer-Encoding: x\r\n", b"%2"]


def mutated(random: Random) -> bytes:
    """A head with up to three pieces put in, left out or replaced."""
    head = random.choice(HEADS)
    for _ in range(random.randrange(4)):
        at = random.randrange(len(head) - 4)
        piece = random.choice(PIECES) if random.randrange(3) else b""
        head = head[:at] + piece + head[at + random.randrange(3) :]
    end = head.find(b"\r\n\r\n")
    return head[: end + 4] if end >= 0 else head


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with what came."""
    body = environ["wsgi.input"].read()
    told = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} "
    start_response("201 Created", [("X-Server", environ["SERVER_NAME"])])
    return [told.encode() + body]


def gateway() -> WaitressGateway:
    return WaitressGateway(echo, ADDRESS, command_line.load([], {}))


def request(head: bytes, body: bytes = b"") -> Request:
    came = Request(parse(head), head, "192.0.2.1", 0.0, lambda: "id-1")
    came.body, came.size = body, len(body)
    return came


def test_a_task_asks_nothing_else_of_its_connection() -> None:
    seen: set[str] = set()
    ours = gateway()
    parser = HTTPRequestParser(ours.adj)
    parser.received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
    channel: Any = Watched(_Channel(ours, "192.0.2.1"), seen, "")
    WSGITask(channel, parser).service()
    assert seen == {
        "addr",
        "check_client_disconnected",
        "server",
        "server.adj",
        "server.application",
        "server.effective_port",
        "server.server_name",
        "adj.ident",
        "adj.url_prefix",
        "write_soon",
    }


def test_signatures() -> None:
    names = {
        call: list(inspect.signature(call).parameters)
        for call in (HTTPRequestParser, HTTPRequestParser.received, HTTPRequestParser.close)
    }
    assert names == {
        HTTPRequestParser: ["adj"],
        HTTPRequestParser.received: ["self", "data"],
        HTTPRequestParser.close: ["self"],
    }
    assert list(inspect.signature(WSGITask).parameters) == ["channel", "request"]
    assert list(inspect.signature(Task.service).parameters) == ["self"]
    assert list(inspect.signature(Task.set_close_on_finish).parameters) == ["self"]
    assert (Task.status, Task.content_length, Task.close_on_finish) == ("200 OK", None, False)
    adjustments = Adjustments(
        ident=None, max_request_header_size=1, max_request_body_size=1, inbuf_overflow=1
    )
    assert adjustments.ident is None


def test_from_bytes_to_bytes() -> None:
    written = gateway().respond(
        request(b"POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n", b"body"), True
    )
    head, _, body = written.data.partition(b"\r\n\r\n")
    assert (written.status, written.size, written.keep_alive) == (201, len(body), True)
    assert body == b"POST /a b?c=d body"
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 201 Created"
    assert [line for line in lines if not line.startswith("Date")][1:] == [
        "Content-Length: 18",
        "X-Request-Id: id-1",
        "X-Server: 127.0.0.1",
    ]


def test_a_body_in_chunks() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body in (b"", b"body", b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n" * 1000):
        written = gateway().respond(request(head, body), True)
        assert written.data.endswith(b"\r\n\r\nPOST /? " + body)


def test_an_address_that_is_none() -> None:
    for address in (b"[::1]:80", b"127.0.0.1", b"host:"):
        head = b"GET http://" + address + b"/a HTTP/1.1\r\nHost: x\r\n\r\n"
        assert gateway().respond(request(head), True).data.endswith(b"GET /a? ")
    with pytest.raises(Malformed, match="expected a path"):
        gateway().respond(request(head.replace(b"host:", b"[:::::]")), True)


def test_whether_the_connection_stays() -> None:
    get = b"GET / HTTP/1.%d\r\nHost: x\r\n%b\r\n"
    for version, more, may_keep, keeps in (
        (1, b"", True, True),
        (1, b"", False, False),
        (1, b"Connection: close\r\n", True, False),
        (0, b"", True, False),
        (0, b"Connection: keep-alive\r\n", True, True),
    ):
        written = gateway().respond(request(get % (version, more)), may_keep)
        assert written.keep_alive is keeps
        assert (b"Connection: close" in written.data) is not keeps


def test_waitress_reads_what_is_accepted_in_the_same_way() -> None:
    """Else a request could be one thing to our checks and another to the application."""
    random, adjustments = Random(1), gateway().adj
    accepted = 0
    for _ in range(30_000):
        data = mutated(random)
        try:
            found = parse(data)
        except Malformed:
            continue
        accepted += 1
        parser = HTTPRequestParser(adjustments)
        parser.received(data)
        assert parser.error is None, data
        assert (parser.command, parser.version) == (found.method, found.version), data
        assert ("/" + parser.path.lstrip("/"), parser.query) == (found.path, found.query), data
        assert (parser.content_length, parser.chunked) == (found.length, found.chunked), data
        headers = {k: v for k, v in found.headers.items() if k != "TRANSFER_ENCODING"}
        assert parser.headers == headers, data
    assert accepted > 5000
