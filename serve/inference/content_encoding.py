"""Content-Encoding: compressed requests and responses (RFC 9110, section 8.4)."""

import dataclasses
import gzip
import zlib

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from serve.errors import BadRequest, TooLarge, UnknownType, quoted
from serve.protocols.response import Response

# Compressing less takes longer than sending it, except on slow networks.
MIN_COMPRESSED_BYTES = 16384
_LEVEL = 1  # two to three times as fast as the default, for a result that is a tenth longer
_MEMBERS = 16  # of one gzip body; each one costs a copy of the rest
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's ``wbits`` of these formats


def decode(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Decompress a body.

    Args:
        body: compressed.
        encoding: its Content-Encoding.
        max_bytes: size that the result may have.

    Raises:
        UnknownType: the encoding is neither gzip nor deflate.
        BadRequest: the body does not have this encoding, or is incomplete.
        TooLarge: the result would be larger.

    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    window = _WINDOW.get(name)
    if window is None:
        raise UnknownType(f"Content-Encoding: expected gzip or deflate, got {quoted(name)}")
    if name == "deflate" and not _is_zlib(body):
        window = -15  # some clients omit zlib's header
    members = _MEMBERS if window == _WINDOW["gzip"] else 1
    return _inflate(body, name, window, members, max_bytes)


def _inflate(body: bytes, name: str, window: int, members: int, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    length = 0
    for _ in range(members):
        member = zlib.decompressobj(window)
        try:
            part = member.decompress(body, max_bytes + 1 - length)
        except zlib.error as error:
            raise BadRequest(f"the body is not {name}: {error}") from None
        parts.append(part)
        length += len(part)
        if length > max_bytes:
            raise TooLarge(f"expected a body of at most {max_bytes} bytes after decompression")
        if not member.eof:
            raise BadRequest(f"the body is not {name}: it is incomplete")
        body = member.unused_data.lstrip(b"\0")  # padding is allowed
        if not body:
            return b"".join(parts)
    raise BadRequest(f"the body is not {name}: other data follows it")


def encode(response: Response, accepted: str) -> Response:
    """Compress a response if the client accepts it and it is long enough.

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
    """Does it begin with zlib's header (RFC 1950, section 2.2)?"""
    return len(body) >= 2 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
