"""Content-Encoding: bodies that come compressed, and answers that go so (RFC 9110, section 8.4)."""

import dataclasses
import gzip
import zlib

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from serve.errors import BadRequest, TooLarge, UnknownType, quoted
from serve.protocols.response import Response

MIN_COMPRESSED_BYTES = (
    16384  # bytes; compressing less takes longer than any but a slow network to send it
)
_LEVEL = 1  # two to three times as fast as the default, and a tenth longer
_MEMBERS = 16  # of one gzip body; each costs a copy of what follows it
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # as zlib's ``wbits`` tells the formats apart


def decode(body: bytes, encoding: str, most: int) -> bytes:
    """Decompress a body.

    Args:
        body: as it came.
        encoding: its Content-Encoding.
        most: bytes that the result may have.

    Raises:
        UnknownType: the encoding is none of gzip and deflate.
        BadRequest: the body is not of this encoding, or ends too soon.
        TooLarge: it would become longer.

    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    window = _WINDOW.get(name)
    if window is None:
        raise UnknownType(f"Content-Encoding: expected gzip or deflate, got {quoted(name)}")
    if name == "deflate" and not _is_zlib(body):
        window = -15  # some clients leave out zlib's head
    members = _MEMBERS if window == _WINDOW["gzip"] else 1
    return _inflate(body, name, window, members, most)


def _inflate(body: bytes, name: str, window: int, members: int, most: int) -> bytes:
    parts: list[bytes] = []
    length = 0
    for _ in range(members):
        member = zlib.decompressobj(window)
        try:
            part = member.decompress(body, most + 1 - length)
        except zlib.error as error:
            raise BadRequest(f"the body is not {name}: {error}") from None
        parts.append(part)
        length += len(part)
        if length > most:
            raise TooLarge(f"expected a body of at most {most} bytes once it is decompressed")
        if not member.eof:
            raise BadRequest(f"the body is not {name}: it ends too soon")
        body = member.unused_data.lstrip(b"\0")  # padding is allowed
        if not body:
            return b"".join(parts)
    raise BadRequest(f"the body is not {name}: more follows than belongs to it")


def encode(response: Response, accepted: str) -> Response:
    """Compress an answer where the client accepts that, and it is long enough to be worth it.

    Args:
        response: not compressed.
        accepted: the client's Accept-Encoding.

    """
    if len(response.body) < MIN_COMPRESSED_BYTES:
        return response
    wanted = parse_accept_header(accepted, Accept)
    name = wanted.best_match(["gzip", "deflate"])
    if name is None or wanted[name] < wanted["identity"]:
        return response
    if name == "gzip":
        body = gzip.compress(response.body, _LEVEL, mtime=0)
    else:
        body = zlib.compress(response.body, _LEVEL)
    headers = (*response.headers, ("Content-Encoding", name), ("Vary", "Accept-Encoding"))
    return dataclasses.replace(response, body=body, headers=headers)


def _is_zlib(body: bytes) -> bool:
    """Does it begin with zlib's head (RFC 1950, section 2.2)?"""
    return len(body) >= 2 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
