"""Parses the head of a request: the request line and the headers (RFC 9112).

Two regular expressions are the whole grammar, and what they do not match is refused. So no proxy
can interpret a head in another way: there are no folded lines, no bare CR or LF, no space before a
colon, and only one Content-Length or Transfer-Encoding.
"""

import functools
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from serve.api import routes
from serve.api.routes import Route
from serve.errors import Malformed
from serve.http import trace_context

MAX_FIELDS = 100
MAX_TARGET_BYTES = 8192
_MAX_CACHED = 1024  # bytes; longer heads would take too much memory

_REQUEST_LINE = re.compile(rb"([A-Z-]{1,32}) ([!-~]+) HTTP/([0-9]\.[0-9])\r\n")
# A match must follow a line feed, so that an invalid line is skipped as a whole.
_FIELD = re.compile(rb"(?<=\n)([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)\r\n")
_ABSOLUTE = re.compile(
    r"https?://(?:[\w.~-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?((?:[/?].*)?)", re.IGNORECASE | re.ASCII
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_HOST = re.compile(r"[/\\?#@,\s]")
_LENGTH = re.compile(r"[0-9]{1,18}")
_ONCE = {"CONTENT_LENGTH", "TRANSFER_ENCODING", "HOST"}


@dataclass(slots=True)
class Head:
    """A parsed head."""

    method: str
    path: str
    """Unescaped as in WSGI; it begins with one slash."""
    query: str
    version: str
    """"1.0" or "1.1"."""
    headers: dict[str, str]
    """By their names in WSGI, without ``HTTP_``."""
    length: int = 0
    """Content-Length, in bytes."""
    chunked: bool = False
    """Is the body sent in chunks? Then its length is unknown."""
    keep_alive: bool = True
    expects_continue: bool = False
    """Does the client wait for 100 Continue before it sends the body?"""
    match: tuple[Route, dict[str, str]] | None = None
    """The route and the parameters in the path; None if there is no such route."""
    operation: str = ""
    """The operation of the route; empty if there is none."""
    route: str = "other"
    """The path of the route for the metrics, for any method."""
    traceparent: str = ""
    """The client's trace context (W3C); empty without a valid one."""


UNREAD = Head("", "", "", "1.1", {})
"""Of a request whose head could not be parsed."""


def parse(data: bytes) -> Head:
    """Parse a head, from the request line to the empty line.

    Clients send the same few heads again and again, so the last ones are cached.

    Raises:
        Malformed: it violates RFC 9112, or has too many fields.

    """
    return _parse_once(data) if len(data) <= _MAX_CACHED else _parse(data)


def _parse(data: bytes) -> Head:
    line = _REQUEST_LINE.match(data)
    if line is None:
        raise Malformed(400, "expected a request line such as POST /predict HTTP/1.1")
    method, target, version = (part.decode("ascii") for part in line.groups())
    if version not in ("1.1", "1.0"):
        raise Malformed(505, "expected HTTP/1.1 or HTTP/1.0")
    headers = _headers(data, line.end())
    path, query = _read_target(target)
    if path == "*" and method != "OPTIONS":
        raise Malformed(400, "expected a path that begins with a slash")
    head = with_route(Head(method, path, query, version, headers))
    _check_host(head)
    _frame(head)
    if "CONNECTION" in headers or version == "1.0":
        options = {option.strip() for option in headers.get("CONNECTION", "").lower().split(",")}
        head.keep_alive = "close" not in options and (version == "1.1" or "keep-alive" in options)
    if "EXPECT" in headers and version == "1.1":
        if headers["EXPECT"].lower() != "100-continue":
            raise Malformed(417, "Expect: expected 100-continue")
        head.expects_continue = True
    return head


def with_route(head: Head) -> Head:
    """Add the route and the trace context to a head."""
    head.match = routes.match(head.method, head.path)
    if head.match:
        head.operation = head.match[0].operation
    if route := routes.route_of(head.path):
        head.route = route.path
    if "TRACEPARENT" in head.headers:
        head.traceparent = trace_context.traceparent(head.headers["TRACEPARENT"])
    return head


_parse_once = functools.lru_cache(256)(_parse)


def _check_host(head: Head) -> None:
    host = head.headers.get("HOST")
    if host is None and head.version == "1.1":
        raise Malformed(400, "expected a Host header")
    if host and _NOT_IN_HOST.search(host):
        raise Malformed(400, "Host: expected the name of a host")


def are_fields(lines: bytes) -> bool:
    """Are all lines after the first line feed valid fields?"""
    return len(_FIELD.findall(lines)) == lines.count(b"\n") - 1


def _headers(data: bytes, start: int) -> dict[str, str]:
    fields = _FIELD.findall(data, start)
    if len(fields) + 2 != data.count(b"\n"):  # besides the request line and the empty line
        raise Malformed(400, "expected header lines such as Content-Type: application/json")
    if len(fields) > MAX_FIELDS:
        raise Malformed(431, f"expected at most {MAX_FIELDS} headers, got {len(fields)}")
    headers: dict[str, str] = {}
    for raw_name, raw_value in fields:
        if b"_" in raw_name:  # X_Api_Key would pass a proxy that removes X-API-Key
            continue
        name = raw_name.decode("ascii").upper().replace("-", "_")
        value = raw_value.strip(b" \t").decode("latin-1")
        if name not in headers:
            headers[name] = value
        elif name in _ONCE:
            raise Malformed(400, f"expected one {raw_name.decode('ascii')} header, got several")
        else:
            headers[name] += ", " + value
    return headers


def _read_target(target: str) -> tuple[str, str]:
    """Split a request target into path and query."""
    if len(target) > MAX_TARGET_BYTES:
        raise Malformed(414, f"expected a target of at most {MAX_TARGET_BYTES} bytes")
    if target == "*":
        return target, ""
    if absolute := _ABSOLUTE.fullmatch(target):
        target = "/" + absolute[1].removeprefix("/")
    if not target.startswith("/") or "#" in target:
        raise Malformed(400, "expected a path that begins with a slash, and no #")
    if _BAD_ESCAPE.search(target):
        raise Malformed(400, "expected two hexadecimal digits after each % of the path")
    path, _, query = target.partition("?")
    if "%" in path:
        path = unquote_to_bytes(path).decode("latin-1")
    return "/" + path.lstrip("/"), query


def _frame(head: Head) -> None:
    """Set the length of the body. What two servers could interpret in two ways is refused."""
    headers = head.headers
    if "TRANSFER_ENCODING" in headers:
        if "CONTENT_LENGTH" in headers:
            raise Malformed(400, "expected Content-Length or Transfer-Encoding, got both")
        if head.version == "1.0":
            raise Malformed(400, "HTTP/1.0 has no Transfer-Encoding")
        if headers["TRANSFER_ENCODING"].lower() != "chunked":
            raise Malformed(501, "Transfer-Encoding: expected chunked")
        head.chunked = True
    elif "CONTENT_LENGTH" in headers:
        length = headers["CONTENT_LENGTH"]
        if not _LENGTH.fullmatch(length):
            raise Malformed(400, "Content-Length: expected a whole number")
        head.length = int(length)
