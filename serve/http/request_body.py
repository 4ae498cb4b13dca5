"""The body of a request while it is received, of a known length or in chunks."""

import re
from typing import Protocol

from serve.errors import Malformed, TooLarge
from serve.http import request_head

_SHORT = 4096
_MAX_LINE = 256  # of a chunk's size and extensions
_MAX_TRAILERS = 8192
_FREE_FRAMING = 65536  # bytes; beyond it, chunks must be longer than their framing

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")


class Body(Protocol):
    """What both kinds have in common."""

    size: int
    """Bytes received so far."""

    def feed(self, data: bytes) -> bytes | None:
        """Take received data; returns what follows the body, or None if the body has not ended.

        Raises:
            ServeError: the body is malformed or too long.

        """

    def take(self) -> bytes:
        """Return the whole body, and forget it."""


class Pieces:
    """Pieces as the socket returned them; they are copied only once, to join them."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def append(self, piece: bytes) -> None:
        """Add a piece; short ones are joined at once, because each object needs extra memory."""
        self.size += len(piece)
        if self._pieces and len(self._pieces[-1]) < _SHORT:
            self._pieces[-1] += piece
        else:
            self._pieces.append(piece)

    def take(self) -> bytes:
        """Return all of them joined, and forget them."""
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


class SizedBody(Pieces):
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length

    @property
    def missing(self) -> int:
        """Bytes that have not been received yet."""
        return self._length - self.size

    def feed(self, data: bytes) -> bytes | None:
        """See ``Body``."""
        missing = self.missing
        self.append(data[:missing])  # no copy if it is all of the data
        return None if self.missing else data[missing:]


class ChunkedBody(Pieces):
    """A body in chunks (RFC 9112, section 7.1). Extensions and trailers are checked and dropped."""

    def __init__(self, max_bytes: int) -> None:
        """Begin; the body may have up to ``max_bytes`` bytes."""
        super().__init__()
        self._max_bytes = max_bytes
        self._rest = b""
        self._missing = 0  # bytes of the current chunk, and the line end after it
        self._framing = 0
        self._last = False

    def feed(self, data: bytes) -> bytes | None:
        """See ``Body``."""
        data = self._rest + data
        at = 0
        while not self._last:
            after = self._take_chunk(data, at) if self._missing else self._take_size(data, at)
            if after == at:
                break
            at = after
        self._rest = data[at:]
        return self._take_trailers() if self._last else None

    def _take_chunk(self, data: bytes, at: int) -> int:
        """Take the available part of a chunk and its line end; returns the position after it."""
        if self._missing > 2:
            piece = data[at : at + self._missing - 2]
            self.append(piece)
            self._missing -= len(piece)
            at += len(piece)
        if self._missing > 2 or len(data) - at < 2:
            return at
        if data[at : at + 2] != b"\r\n":
            raise Malformed(400, "expected the end of a line after each chunk")
        self._missing = 0
        return at + 2

    def _take_size(self, data: bytes, at: int) -> int:
        end = data.find(b"\r\n", at, at + _MAX_LINE)
        if end < 0:
            if len(data) - at >= _MAX_LINE:
                raise Malformed(400, f"expected a chunk's size within {_MAX_LINE} bytes")
            return at
        line = _SIZE.fullmatch(data, at, end)
        if line is None:
            raise Malformed(400, "expected a chunk's size as a hexadecimal number")
        size = int(line[1], 16)
        if self.size + size > self._max_bytes:
            raise TooLarge(f"expected a body of at most {self._max_bytes} bytes")
        self._framing += end + 4 - at
        if self._framing > _FREE_FRAMING + self.size + size:
            raise Malformed(400, "expected longer chunks")
        self._last = size == 0
        self._missing = size + 2 if size else 0
        return end + 2

    def _take_trailers(self) -> bytes | None:
        rest = self._rest
        if rest.startswith(b"\r\n"):
            return rest[2:]
        end = rest.find(b"\r\n\r\n", 0, _MAX_TRAILERS)
        if end >= 0:
            if not request_head.are_fields(b"\n" + rest[: end + 2]):
                raise Malformed(400, "expected trailers to be header lines")
            return rest[end + 4 :]
        if len(rest) >= _MAX_TRAILERS:
            raise Malformed(400, f"expected trailers within {_MAX_TRAILERS} bytes")
        return None
