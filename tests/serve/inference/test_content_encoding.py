"""Bodies that come compressed, and answers that go so."""

import gzip
import json
import zlib

import numpy as np
import pytest

from serve.errors import BadRequest, TooLarge, UnknownType
from serve.inference import content_encoding
from serve.protocols.response import Response
from tests.conftest import Digits
from tests.servers.live import Server

BODY = b"[1, 2, 3]" * 100


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY, mtime=0)),
        (" GZIP ", gzip.compress(BODY[:9], mtime=0) + gzip.compress(BODY[9:], mtime=0)),
        ("x-gzip", gzip.compress(BODY, mtime=0)),
        ("gzip", gzip.compress(BODY, mtime=0) + b"\0" * 512),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
    ],
)
def test_takes_what_it_says_it_takes(name: str, sent: bytes) -> None:
    assert content_encoding.decode(sent, name, len(BODY)) == BODY
    if name not in ("", "identity"):
        with pytest.raises(TooLarge, match="at most 899 bytes after decompression"):
            content_encoding.decode(sent, name, len(BODY) - 1)


@pytest.mark.parametrize(
    ("name", "sent", "message"),
    [
        ("gzip", BODY, "the body is not gzip: .*incorrect header"),
        ("deflate", BODY, "the body is not deflate"),
        ("gzip", gzip.compress(BODY, mtime=0)[:-1], "it is incomplete"),
        ("gzip", gzip.compress(BODY, mtime=0)[:-8] + b"\0" * 8, "incorrect data check"),
        ("gzip", gzip.compress(BODY, mtime=0) + b"more", "the body is not gzip"),
        ("gzip", gzip.compress(b"", mtime=0) * 100_000, "other data follows it"),
        ("deflate", b"\3\0" * 1_000_000, "other data follows it"),
        ("deflate", zlib.compress(BODY) + b"more", "other data follows it"),
        ("deflate", zlib.compress(BODY)[:-5], "it is incomplete"),
    ],
)
def test_refuses_what_is_not_what_it_says(name: str, sent: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        content_encoding.decode(sent, name, 10_000)


def test_refuses_encodings_that_it_does_not_know() -> None:
    with pytest.raises(UnknownType, match="expected gzip or deflate, got 'br'") as caught:
        content_encoding.decode(BODY, "br", 10_000)
    assert caught.value.status == 415


def test_a_small_body_that_becomes_a_large_one_takes_no_memory() -> None:
    bomb = gzip.compress(b"\0" * 2**28, mtime=0)
    assert len(bomb) < 2**20
    with pytest.raises(TooLarge):
        content_encoding.decode(bomb, "gzip", 1000)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("deflate", "deflate"),
        ("gzip;q=0.5, deflate;q=0.9", "deflate"),
        ("*", "gzip"),
        ("", None),
        ("br", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
    ],
)
def test_answers_as_the_client_accepts(accepted: str, expected: str | None) -> None:
    answer = Response(200, BODY * 100, headers=(("X-More", "1"),))
    encoded = content_encoding.encode(answer, accepted)
    headers = dict(encoded.headers)
    assert headers.get("Content-Encoding") == expected
    assert headers["X-More"] == "1"
    if expected is None:
        assert encoded.body == answer.body
    else:
        assert headers["Vary"] == "Accept-Encoding"
        assert len(encoded.body) < len(answer.body) / 10
        assert content_encoding.decode(encoded.body, expected, 10**6) == answer.body


def test_a_short_answer_is_not_worth_it() -> None:
    answer = Response(200, BODY)
    assert content_encoding.encode(answer, "gzip") is answer


def test_over_http(server: Server, digits: Digits) -> None:
    body = json.dumps({"images": digits.images.tolist()}).encode()
    plain = server.request("POST", "/predict", body)
    for name, sent in (("gzip", gzip.compress(body, mtime=0)), ("deflate", zlib.compress(body))):
        headers = {"Content-Encoding": name, "Accept-Encoding": name}
        answer = server.request("POST", "/predict", sent, headers)
        assert answer.headers["Content-Encoding"] == name
        assert content_encoding.decode(answer.body, name, 10**6) == plain.body
    assert np.shape(plain.json()["probabilities"]) == (1000, 10)
    bomb = gzip.compress(b" " * 2**25, mtime=0)
    refused = server.request("POST", "/predict", bomb, {"Content-Encoding": "gzip"})
    assert refused.status == 413
    assert "at most 16777216 bytes after decompression" in refused.json()["error"]
