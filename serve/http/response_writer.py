"""Serializes a response for the socket."""

import functools
from email.utils import formatdate
from http import HTTPStatus

from serve.http.request import Request
from serve.protocols.response import Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def render(response: Response, request: Request, keep_alive: bool, date: str) -> bytes:
    """Head and body of a response.

    Args:
        response: to the request.
        request: its id, HTTP version and method are used.
        keep_alive: does the connection stay open?
        date: in the format of HTTP.

    """
    head = request.head
    more = ""
    for name, value in response.headers:
        more += f"{name}: {value}\r\n"
    job = request.job
    if job is not None and job.model is not None:
        more += job.model.spec.header_lines
        if response.status == 200:
            more += f"Server-Timing: {job.server_timing()}\r\n"
    if head.traceparent:
        more += f"traceparent: {head.traceparent}\r\n"
    if not keep_alive:
        more += "Connection: close\r\n"
    elif head.version == "1.0":
        more += "Connection: Keep-Alive\r\n"
    lines = (
        f"{_opening(head.version, response.status, response.content_type)}"
        f"Content-Length: {len(response.body)}\r\nDate: {date}\r\n"
        f"X-Request-Id: {request.id}\r\n{more}\r\n"
    ).encode("latin-1")
    return lines if head.method == "HEAD" else lines + response.body


def date(seconds: float) -> str:
    """A time of ``time.time`` in the format of HTTP."""
    return formatdate(seconds, usegmt=True)


@functools.lru_cache(256)
def _opening(version: str, status: int, content_type: str) -> str:
    """The first lines, which many responses have in common."""
    phrase = HTTPStatus(status).phrase if status in _KNOWN else "Refused"
    return f"HTTP/{version} {status} {phrase}\r\nContent-Type: {content_type}\r\n"


_KNOWN = {status.value for status in HTTPStatus}
