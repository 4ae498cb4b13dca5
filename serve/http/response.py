"""An answer as the bytes that go to the socket."""

import functools
from email.utils import formatdate
from http import HTTPStatus

from serve.answer import Answer
from serve.http.request import Request

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def render(answer: Answer, request: Request, keep_alive: bool, now: float) -> bytes:
    """Head and body of an answer.

    Args:
        answer: to the request.
        request: whose id, version and method count.
        keep_alive: does the connection stay open?
        now: a time of ``time.time``.

    """
    head = request.head
    more = ""
    for name, value in answer.headers:
        more += f"{name}: {value}\r\n"
    job = request.job
    if job is not None and job.model is not None:
        more += job.model.signature.header_lines
        if answer.status == 200:
            more += f"Server-Timing: {job.server_timing()}\r\n"
    if not keep_alive:
        more += "Connection: close\r\n"
    elif head.version == "1.0":
        more += "Connection: Keep-Alive\r\n"
    lines = (
        f"HTTP/{head.version} {_status(answer.status)}\r\nContent-Length: {len(answer.body)}\r\n"
        f"Content-Type: {answer.content_type}\r\nDate: {_date(int(now))}\r\n"
        f"X-Request-Id: {request.id}\r\n{more}\r\n"
    ).encode("latin-1")
    return lines if head.method == "HEAD" else lines + answer.body


@functools.lru_cache(64)
def _status(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}" if status in _KNOWN else f"{status} Refused"


@functools.lru_cache(1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


_KNOWN = {status.value for status in HTTPStatus}
