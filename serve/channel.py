"""One HTTP connection: waitress's channel, with our errors, our close, and the short way.

The short way: a request for inference goes from waitress's parser to ``Inference`` and back
without WSGI and Flask, whose routing, context and response objects cost more than a small
model's run. Everything else is served by the Flask application.
"""

import contextlib
import socket
import time
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, Task, WSGITask
from waitress.utilities import RequestEntityTooLarge

from serve import errors
from serve.job import Answer

LINGER_SECONDS = 10.0

_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class _Farewell(Task):
    """Tells the client, once the server drains, that this answer is the connection's last."""

    def start(self) -> None:
        super().start()
        if self.channel.server.draining:
            self.set_close_on_finish()


class _FlaskTask(_Farewell, WSGITask):
    """A request that the Flask application answers."""


class _AnswerTask(_Farewell):
    """Writes an answer that ``Inference`` gave, head and body at once."""

    complete = True

    def execute(self) -> None:
        answer: Answer = self.request.job.answer
        self.status = _STATUS.get(answer.status, f"{answer.status} Refused")
        self.response_headers += [("Content-Type", "application/json"), *answer.headers]
        self.content_length = len(answer.body)
        head = self.build_response_header()
        self.wrote_header = True
        self.channel.write_soon(head + answer.body)


class _JsonErrorTask(ErrorTask):
    """What waitress refuses before the application sees it, in the one form of all errors."""

    def execute(self) -> None:
        error = self.request.error
        message = error.body
        if isinstance(error, RequestEntityTooLarge):
            message = (
                f"expected a body of at most {self.channel.adj.max_request_body_size - 1} bytes"
            )
        self.channel.refused = True
        body = errors.body(message)
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


def _task(channel: HTTPChannel, request: Any) -> Task:
    kind = _AnswerTask if hasattr(request, "job") else _FlaskTask
    return kind(channel, request)


class Channel(HTTPChannel):
    """A connection that is closed gently after a request was refused while it still came in.

    Closing a socket with unread data in it resets the connection, and the client loses the
    answer. So the answer is followed by the end of the stream, and what still comes is thrown
    away for a while (RFC 9112, section 9.6).
    """

    task_class = staticmethod(_task)
    error_task_class = _JsonErrorTask
    refused = False
    _linger_until = 0.0
    _closed = False

    def asks_for(self, path: str) -> bool:
        """Is the request at hand a valid POST to ``path``?"""
        request = self.requests[0]
        return not request.error and request.path == path and request.command == "POST"

    def body(self) -> bytes:
        """The body of the request at hand."""
        return bytes(self.requests[0].get_body_stream().read())

    def gone(self) -> bool:
        """Has the client closed the connection? Then nobody reads an answer."""
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    @property
    def busy(self) -> bool:
        """Is a request coming in, waiting or being answered?"""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    def readable(self) -> bool:
        """Also while what still comes after a refusal is thrown away."""
        return bool(self._linger_until) or bool(super().readable())

    def handle_read(self) -> None:
        """Take what came, or throw it away."""
        if not self._linger_until:
            super().handle_read()
        elif self.recv(self.adj.recv_bytes) and time.monotonic() > self._linger_until:
            self.handle_close()

    def handle_close(self) -> None:
        """Close, gently after a refusal, and count it once."""
        if self.refused and not self._linger_until:
            self._linger_until = time.monotonic() + LINGER_SECONDS
            self.will_close = False
            with contextlib.suppress(OSError):  # the client is gone: the next read ends it
                self.socket.shutdown(socket.SHUT_WR)
        elif not self._closed:
            self._closed = True
            super().handle_close()
            self.server.closed()
