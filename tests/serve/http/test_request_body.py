"""Bodies of a known length and in chunks, whole and in every pair of pieces."""

import pytest

from serve.errors import Malformed, TooLarge
from serve.http.request_body import Body, ChunkedBody, SizedBody

CHUNKED = b'3\r\nabc\r\n00A;name="v" \r\n0123456789\r\n0;x\r\nTrailer: 1\r\n\r\n'


def read(body: Body, *pieces: bytes) -> tuple[bytes, bytes | None]:
    """The body, and what comes after it; None where it does not end."""
    rest = None
    for piece in pieces:
        assert rest is None
        rest = body.feed(piece)
    return body.take(), rest


def test_a_body_of_a_known_length() -> None:
    assert read(SizedBody(5), b"ab", b"c", b"deGET") == (b"abcde", b"GET")
    assert read(SizedBody(5), b"abcd") == (b"abcd", None)


def test_short_pieces_do_not_take_an_object_each() -> None:
    body = SizedBody(100_000)
    for _ in range(100_000):
        body.feed(b"x")
    assert len(body._pieces) < 100
    assert body.take() == b"x" * 100_000


def test_chunks_in_every_pair_of_pieces() -> None:
    for at in range(1, len(CHUNKED)):
        assert read(ChunkedBody(13), CHUNKED[:at], CHUNKED[at:] + b"GET") == (
            b"abc0123456789",
            b"GET",
        )


def test_chunks_byte_by_byte() -> None:
    assert read(ChunkedBody(13), *(bytes([byte]) for byte in CHUNKED)) == (b"abc0123456789", b"")


def test_no_chunks() -> None:
    assert read(ChunkedBody(10), b"0\r\n\r\n") == (b"", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1 \r\na\r\n",
        b"\r\n",
        b"1\na\r\n0\r\n\r\n",
        b"1\r\na\n0\r\n\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"1;a\nb\r\na\r\n0\r\n\r\n",
        b"1;a\0b\r\na\r\n0\r\n\r\n",
        b"1" * 16 + b"\r\n",
        b"1;" + b"a" * 300,
        b"0\r\n folded\r\n\r\n",
        b"0\r\nno trailer\r\n\r\n",
        b"0\r\nA : 1\r\n\r\n",
        b"0\r\nA: 1\nB: 2\r\n\r\n",
        b"0\r\n" + b"A: 1\r\n" * 2000,
    ],
)
def test_what_is_no_chunk(data: bytes) -> None:
    with pytest.raises(Malformed):
        ChunkedBody(10**15).feed(data)
    pieces = [bytes([byte]) for byte in data + b"\r\n" * 2]
    with pytest.raises(Malformed):
        read(ChunkedBody(10**15), *pieces)


def test_a_chunk_that_is_too_long_is_refused_by_its_size() -> None:
    body: Body
    for size in (b"b", b"7fffffff", b"f" * 15):
        body = ChunkedBody(10)
        with pytest.raises(TooLarge):
            body.feed(size + b"\r\n")
    body = ChunkedBody(10)
    body.feed(b"6\r\nabcdef\r\n")
    with pytest.raises(TooLarge):
        body.feed(b"5\r\n")


def test_many_tiny_chunks_are_refused() -> None:
    with pytest.raises(Malformed, match="expected longer chunks"):
        read(ChunkedBody(2**24), *[b"1\r\na\r\n" * 1000] * 100)
    body = ChunkedBody(2**24)
    for _ in range(100):
        body.feed(b"10\r\n0123456789abcdef\r\n" * 1000)
    assert body.size == 1_600_000
