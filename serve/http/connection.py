"""One HTTP connection: from bytes to requests and from responses to bytes, one at a time.

A connection passes a request on when it is complete, and reads the next one when the response is
sent. What a client pipelines meanwhile waits in the socket, except for one read. So neither
requests nor responses accumulate, whatever the client does.
"""

import contextlib
import socket
import struct

from serve.errors import Busy, Malformed, ServeError, TooLarge
from serve.http.connection_owner import ConnectionOwner
from serve.http.poller import READ, WRITE
from serve.http.request import Request
from serve.http.request_body import Body, ChunkedBody, SizedBody
from serve.http.request_head import UNREAD, parse
from serve.http.response_writer import CONTINUE

LINGER_SECONDS = 10.0
SMALL_BODY = 65536  # bytes; such a body always fits, and is read even if the request is refused
_RECEIVE = 65536  # bytes of one read: a head and 32 rows of 784 numbers
_RECEIVE_BODY = 2**20  # the same, for a body of known length
_AT_ONCE = struct.pack("ii", 1, 0)  # Linux's struct linger: on, for 0 seconds


class Connection:
    """The connection of one client."""

    def __init__(
        self,
        server: "ConnectionOwner[Connection]",
        connection: socket.socket,
        address: str,
        over_limit: bool,
    ) -> None:
        """Wait for the first request of a non-blocking connection.

        With ``over_limit``, inference is refused, and it is closed after one request.
        """
        self.address = address
        self.over_limit = over_limit
        self.request: Request | None = None
        """The request that is received, waits, or is answered."""
        self.body_bytes = 0
        """Memory for the body of the request, or for the response until it is sent."""
        self.last_active = server.now
        self.is_closed = False
        self._server = server
        self._socket = connection
        self._body: Body | None = None  # of the request, until it is complete
        self._pending = b""  # received, but not part of a request yet
        self._since = (
            0.0  # when the first byte of the request was received, or of the response sent
        )
        self._unsent = memoryview(b"")
        self._keep_alive = True
        self._ended = False  # the client has closed its side
        self._lingers_until = 0.0
        self._watched = 0
        self._watch(READ)

    @property
    def is_waiting(self) -> bool:
        """Is there a complete request without a response?"""
        return self.request is not None and self._body is None and not self._unsent

    @property
    def is_busy(self) -> bool:
        """Is a request being received, waiting or being answered?"""
        return bool(self.request or self._pending)

    def is_disconnected(self) -> bool:
        """Has the client closed the connection? Then nobody reads the response."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def ready(self, _: int) -> None:
        """Read or write as much as the socket allows."""
        try:
            if self._unsent:
                self._send_more()
            else:
                self._receive()
        except MemoryError:  # it must end this connection, not the worker
            self.close()

    def check_pace(self, now: float) -> None:
        """Close an idle connection, or one whose request or response is too slow."""
        server = self._server
        if self.is_waiting:
            return
        if now - self.last_active > server.idle_timeout or 0 < self._lingers_until < now:
            self.close()
        elif self._unsent:
            sent = memoryview(self._unsent.obj).nbytes - len(self._unsent)
            if now - self._since > server.idle_timeout + sent / server.min_body_rate:
                self.close()
        elif self.is_busy:
            size = self._body.size if self._body else 0
            if now - self._since > server.header_timeout + size / server.min_body_rate:
                self.refuse(server.too_slow())

    def proceed(self) -> None:
        """Continue with what was received after a request that is now answered."""
        if self._pending and not self.request and not self.is_closed:
            data, self._pending = self._pending, b""
            self._take_head(data)

    def _receive(self) -> None:
        body = self._body
        most = min(body.missing, _RECEIVE_BODY) if isinstance(body, SizedBody) else _RECEIVE
        try:
            data = self._socket.recv(most)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if not data:
            self._end()
            return
        self.last_active = self._server.now
        if self._lingers_until:
            return
        if body is not None:
            self._take_body(body, data)
        elif self.request is None:
            self._take_head(self._pending + data if self._pending else data)
        else:  # read no more until the request is answered
            self._pending += data
            self._watch(0)

    def _end(self) -> None:
        """The client sends no more. Only a request that waits still gets its response."""
        if self.is_waiting:
            self._ended = True
            self._watch(0)
        else:
            self.close()

    def _take_head(self, data: bytes) -> None:
        server = self._server
        if not self._pending:
            self._since = server.now
        if data.startswith(b"\r\n"):  # some clients send an empty line after a body
            data = data[2:]
        end = data.find(b"\r\n\r\n", 0, server.max_header_bytes) + 4
        if end < 4:
            self._pending = data
            if len(data) >= (most := server.max_header_bytes):
                self.refuse(Malformed(431, f"expected a head of at most {most} bytes"))
            return
        self._pending = b""
        try:
            head = parse(data[:end])
        except Malformed as error:
            self.refuse(error)
            return
        request = Request(head, data[:end], self.address, self._since, server.new_id)
        self.request = request
        body = data[end:]
        if head.length > server.max_body_bytes:
            self.refuse(TooLarge(f"expected a body of at most {server.max_body_bytes} bytes"))
        elif head.length == len(body) and not head.chunked:  # the usual case
            request.body = body
            request.size = self.body_bytes = len(body)
            server.body_bytes += len(body)
            server.dispatcher.handle(request, self)
        else:
            self._begin_body(request, body)

    def _begin_body(self, request: Request, data: bytes) -> None:
        """Take the received part of a body; the next request may follow it."""
        server, head = self._server, request.head
        body = ChunkedBody(server.max_body_bytes) if head.chunked else SizedBody(head.length)
        self._body = body
        is_long = head.chunked or head.length > SMALL_BODY
        if len(data) < head.length or head.chunked:
            error = server.dispatcher.check(request, self)
            if error and (is_long or head.expects_continue):
                self.refuse(error)
                return
            if head.expects_continue and not data:
                with contextlib.suppress(OSError):  # the next read notices it
                    self._socket.send(CONTINUE)
        if self._find_room(head.length):
            self._take_body(body, data)

    def _take_body(self, body: Body, data: bytes) -> None:
        request = self.request
        assert request is not None  # noqa: S101 - the body belongs to a request
        try:
            rest = body.feed(data)
        except ServeError as error:
            self.refuse(error)
            return
        request.size = body.size
        if body.size > self.body_bytes and not self._find_room(body.size):
            return
        if rest is not None:
            self._body = None
            self._pending = rest
            request.body = body.take()
            self._server.dispatcher.handle(request, self)

    def _find_room(self, size: int) -> bool:
        if self._server.find_room(self, size):
            return True
        self.refuse(Busy("memory", "other requests take the memory that this body needs"))
        return False

    def refuse(self, error: ServeError) -> None:
        """Refuse the request that is being received; the connection is closed afterwards."""
        self._body = None
        self._pending = b""
        self.request = self.request or Request(
            UNREAD, b"", self.address, self._since, self._server.new_id
        )
        self._server.refuse(self.request, error, self)

    def send(self, data: bytes, keep_alive: bool) -> None:
        """Send the response, then continue or close the connection."""
        server = self._server
        server.body_bytes -= self.body_bytes
        self.body_bytes = 0
        self._keep_alive = keep_alive
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent == len(data):
            self._complete()
        else:  # read nothing until the client has read this
            self._since = server.now
            self._unsent = memoryview(data)[sent:]
            server.find_room(self, len(self._unsent))  # only to count it; it is sent in any case
            self._watch(WRITE)

    def _send_more(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        self.last_active = self._server.now
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._unsent = memoryview(b"")  # the old view would keep the response in memory
            self._server.find_room(self, 0)
            self._complete()

    def _complete(self) -> None:
        """Continue or close, now that the response is sent."""
        self.request = None
        if self._keep_alive and not self._ended:
            if self._watched != READ:
                self._watch(READ)
            if self._pending:
                self._server.proceeding.append(self)
        elif self._ended:
            self.close()
        else:
            self._linger()

    def _linger(self) -> None:
        """Close the sending side, and discard what is still received.

        Closing a socket with unread data would reset the connection, and the client could lose the
        response (RFC 9112, section 9.6).
        """
        self._pending = b""
        self._lingers_until = self._server.now + LINGER_SECONDS
        with contextlib.suppress(OSError):  # the client is gone: the next read closes it
            self._socket.shutdown(socket.SHUT_WR)
        self._watch(READ)

    def close(self) -> None:
        """Close it at once."""
        if not self.is_closed:
            self.is_closed = True
            self._watch(0)
            if self._unsent:  # nobody reads it; the system must not keep it
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._socket.close()
            self._server.forget(self)

    def _watch(self, events: int) -> None:
        if events != self._watched:
            self._watched = events
            self._server.poller.watch(self._socket.fileno(), events, self.ready)
