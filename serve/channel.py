"""One HTTP connection: waitress's channel, with our errors, our close, and the short way.

The short way: a request for inference goes from waitress's parser to ``Inference`` and back
without WSGI and Flask, whose routing, context and response objects cost more than a small
model's run. Everything else is served by the Flask application.
"""

import contextlib
import socket
import time
from typing import Any

from waitress.channel import ClientDisconnected, HTTPChannel

from serve import tasks
from serve.errors import ServeError
from serve.request import Request

LINGER_SECONDS = 10.0
MOST_UNREAD = 16 * 2**20  # bytes of answers that wait for a client, after which it gets no more


class Channel(HTTPChannel):
    """A connection that is closed gently after a request was refused while it still came in.

    Closing a socket with unread data in it resets the connection, and the client loses the
    answer. So the answer is followed by the end of the stream, and what still comes is thrown
    away for a while (RFC 9112, section 9.6).
    """

    task_class = staticmethod(tasks.task)
    error_task_class = tasks.ErrorTask
    request: Request | None  # that is coming in
    surplus = False
    """Is it one more than the server wants? Then it gets one answer, and none to inference."""
    refused = False
    """Is a request's rest still to come?"""
    _linger_until = 0.0
    _closed = False

    def parser_class(self, _: Any) -> Request:
        """Make the parser of the next request."""
        return Request(self.server)

    @property
    def operation(self) -> str:
        """What the request at hand asks for; empty where it is not known, or did not come well."""
        request: Request = self.requests[0]
        return "" if request.error or not request.route else request.route[0].operation

    def gone(self) -> bool:
        """Has the client closed the connection? Then nobody reads an answer."""
        connection = self.socket
        try:
            return connection is None or not connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    @property
    def busy(self) -> bool:
        """Is a request coming in, waiting or being answered?"""
        coming = self.request is not None and self.request.begun
        return bool(self.requests or coming or self.total_outbufs_len)

    @property
    def held(self) -> int:
        """Bytes that the bodies of its requests take, or will."""
        coming = self.request.held if self.request is not None else 0
        return int(coming + sum(request.held for request in self.requests))

    def silent_since(self, when: float) -> bool:
        """Has nothing come or gone since then, by ``time.time``, though nothing is being done?"""
        return not self.requests and self.last_activity < when

    def lingers_too_long(self) -> bool:
        """Has a client that was refused not hung up, though it was given time?"""
        return bool(self._linger_until) and time.monotonic() > self._linger_until

    def refuse(self, error: ServeError) -> None:
        """Answer the request that is coming in, before it has come in whole."""
        with self.requests_lock:
            if self.request is None or self.requests:
                return
            self.request.error = error
            self.requests.append(self.request)
            self.request = None
            self.server.add_task(self)

    def readable(self) -> bool:
        """Also while what still comes after a refusal is thrown away."""
        return bool(self._linger_until) or bool(super().readable())

    def handle_read(self) -> None:
        """Take what came, or throw it away."""
        if not self._linger_until:
            super().handle_read()
        elif self.recv(self.adj.recv_bytes) and time.monotonic() > self._linger_until:
            self.handle_close()

    def write_soon(self, data: bytes) -> int:
        """Send at once what the socket takes; only the rest goes through waitress's buffers.

        Raises:
            ClientDisconnected: the client is gone, or has left too many answers unread.

        """
        with self.outbuf_lock:
            if not self.connected or self.total_outbufs_len > MOST_UNREAD:
                raise ClientDisconnected
            sent = 0 if self.total_outbufs_len else self.send(data, do_close=False)
            if sent < len(data):
                super().write_soon(data[sent:])
            return len(data)

    def handle_close(self) -> None:
        """Close, gently after a refusal, and count it once."""
        if self.refused and not self._linger_until:
            self._linger_until = time.monotonic() + LINGER_SECONDS
            self.will_close = False
            self.request = None  # what came after the refused one is no request
            with contextlib.suppress(OSError):  # the client is gone: the next read ends it
                self.socket.shutdown(socket.SHUT_WR)
        elif not self._closed:
            self._closed = True
            super().handle_close()
            self.server.closed()
