"""Heads, read as RFC 9112 has them and in no other way."""

import pytest

from serve.errors import Malformed
from serve.http import request_head
from serve.http.request_head import parse

POST = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /v2 HTTP/1.1\r\nHost: x\r\n"


def refused(data: bytes) -> tuple[int, str]:
    with pytest.raises(Malformed) as raised:
        parse(data)
    return raised.value.status, str(raised.value)


def test_a_head() -> None:
    found = parse(
        b"POST /v2/models/a%20b/infer?x=%31 HTTP/1.1\r\nHost: localhost:8080\r\n"
        b"content-LENGTH:12\r\nX-Request-Id: \t a b \t\r\nAccept: a\r\nAccept: b\r\nEmpty:\r\n\r\n"
    )
    assert (found.method, found.path, found.query) == ("POST", "/v2/models/a b/infer", "x=%31")
    assert (found.version, found.length, found.chunked) == ("1.1", 12, False)
    assert (found.keep_alive, found.expects_continue) == (True, False)
    assert found.headers == {
        "HOST": "localhost:8080",
        "CONTENT_LENGTH": "12",
        "X_REQUEST_ID": "a b",
        "ACCEPT": "a, b",
        "EMPTY": "",
    }
    assert found.match
    assert found.match[0].path == found.route == "/v2/models/{name}/infer"
    assert found.match[1] == {"name": "a b"}


@pytest.mark.parametrize(
    ("version", "connection", "keeps"),
    [
        ("1.1", None, True),
        ("1.1", "close", False),
        ("1.1", "Upgrade, Close", False),
        ("1.1", "keep-alive", True),
        ("1.0", None, False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "keep-alive, close", False),
    ],
)
def test_whether_the_connection_stays(version: str, connection: str | None, keeps: bool) -> None:
    more = f"Connection: {connection}\r\n" if connection else ""
    found = parse(f"GET / HTTP/{version}\r\nHost: x\r\n{more}\r\n".encode())
    assert found.keep_alive is keeps


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", ""),
        (b"//predict", "/predict", ""),
        (b"/a//b", "/a//b", ""),
        (b"/a?b?c", "/a", "b?c"),
        (b"http://host:80/a?b", "/a", "b"),
        (b"HTTPS://host", "/", ""),
        (b"http://host?b", "/", "b"),
        (b"/caf%C3%A9", "/caf\u00c3\u00a9", ""),  # as WSGI has it
    ],
)
def test_targets(target: bytes, path: str, query: str) -> None:
    found = parse(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (found.path, found.query) == (path, query)


def test_the_target_of_options() -> None:
    assert parse(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").path == "*"
    assert refused(b"GET * HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 400


@pytest.mark.parametrize(
    "target",
    b"predict|host:80|/a#b|/%zz|/%4|/a?b=%|ftp://host/a|http:///a|http://user@host/a"
    b"|/a\x80|/a\x7f|/a b".split(b"|"),
)
def test_targets_that_are_none(target: bytes) -> None:
    assert refused(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 400


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET  / HTTP/1.1", 400),
        (b"GET\t/ HTTP/1.1", 400),
        (b" GET / HTTP/1.1", 400),
        (b"get / HTTP/1.1", 400),
        (b"G\0T / HTTP/1.1", 400),
        (b"GET / http/1.1", 400),
        (b"GET / HTTP/1", 400),
        (b"GET / HTTP/11.1", 400),
        (b"GET / HTTP/0.9", 505),
        (b"GET / HTTP/2.0", 505),
        (b"GET /" + b"a" * request_head.MAX_TARGET_BYTES + b" HTTP/1.1", 414),
    ],
)
def test_request_lines_that_are_none(line: bytes, status: int) -> None:
    assert refused(line + b"\r\nHost: x\r\n\r\n")[0] == status


@pytest.mark.parametrize(
    "line",
    [
        b" folded",
        b"\tfolded",
        b"X : 1",
        b"X\t: 1",
        b": 1",
        b"X",
        b"X(: 1",
        b"X\0: 1",
        b"\xffX: 1",
        b"X: a\0b",
        b"X: a\rb",
        b"X: a\nb",
        b"X: a\nContent-Length: 5",
        b"X: a\x01",
        b"X: a\x7f",
        b"X: a\n",
        b"X: a\r",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_header_lines_that_are_none(line: bytes, first: bool) -> None:
    host = b"Host: x\r\n"
    lines = line + b"\r\n" + host if first else host + line + b"\r\n"
    assert refused(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")[0] == 400


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Host: x\r\nHost: x\r\n",
        b"Host: x\r\nHOST: y\r\n",
        b"Host: a b\r\n",
        b"Host: a/b\r\n",
        b"Host: a, b\r\n",
        b"Host: a@b\r\n",
    ],
)
def test_one_host(lines: bytes) -> None:
    assert refused(b"GET / HTTP/1.1\r\n" + lines + b"\r\n")[0] == 400


def test_http_1_0_needs_no_host() -> None:
    assert "HOST" not in parse(b"GET / HTTP/1.0\r\n\r\n").headers
    assert parse(b"GET / HTTP/1.1\r\nHost:\r\n\r\n").headers == {"HOST": ""}


@pytest.mark.parametrize(
    "length",
    [b"+1", b"-1", b"1 1", b"1,1", b"0x1", b"1_0", b"1.0", b"", b"\xb2", b"9" * 19, b"many"],
)
def test_lengths_that_are_none(length: bytes) -> None:
    assert refused(POST + b"Content-Length: " + length + b"\r\n\r\n")[0] == 400


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Content-Length: 1\r\nContent-Length: 1\r\n", 400),
        (b"Content-Length: 1\r\nContent-Length: 2\r\n", 400),
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: gzip, chunked\r\n", 501),
        (b"Transfer-Encoding: chunked, identity\r\n", 501),
        (b"Transfer-Encoding: identity\r\n", 501),
        (b"Transfer-Encoding: xchunked\r\n", 501),
        (b"Transfer-Encoding: \x0bchunked\r\n", 400),
        (b"Transfer-Encoding: \xa0chunked\r\n", 501),
        (b'Transfer-Encoding: "chunked"\r\n', 501),
        (b"Transfer-Encoding:\r\n", 501),
        (b"Transfer-Encoding : chunked\r\n", 400),
        (b"Expect: 200-ok\r\n", 417),
    ],
)
def test_where_a_body_ends_is_never_in_doubt(lines: bytes, status: int) -> None:
    assert refused(POST + lines + b"\r\n")[0] == status


def test_http_1_0_has_no_chunks() -> None:
    assert refused(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")[0] == 400


def test_a_body_in_chunks() -> None:
    found = parse(POST + b"Transfer-Encoding: Chunked\r\n\r\n")
    assert (found.chunked, found.length) == (True, 0)


def test_names_with_an_underscore_do_not_count() -> None:
    found = parse(POST + b"X_Api_Key: a\r\nContent_Length: 7\r\nX-Other: b\r\n\r\n")
    assert (found.headers, found.length) == ({"HOST": "x", "X_OTHER": "b"}, 0)


def test_the_number_of_headers_is_bounded() -> None:
    lines = [b"X-%d: 1\r\n" % number for number in range(request_head.MAX_FIELDS)]
    assert len(parse(GET + b"".join(lines[1:]) + b"\r\n").headers) == request_head.MAX_FIELDS
    assert refused(GET + b"".join(lines) + b"\r\n") == (
        431,
        "expected at most 100 headers, got 101",
    )


def test_a_head_is_read_in_linear_time() -> None:
    """What took the square of its length would take minutes."""
    for filling in (b"a" * 2_000_000, b" " * 2_000_000, b"a:" * 1_000_000, b"\n" * 2_000_000):
        refused(b"GET / HTTP/1.1\r\nHost: x\r\n" + filling + b"\0\r\n\r\n")
        refused(b"GET / HTTP/1.1\r\nX: " + filling + b"\0\r\n\r\n")
        refused(filling + b"\r\n\r\n")
