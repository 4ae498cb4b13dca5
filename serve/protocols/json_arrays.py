"""Numbers in JSON, taken into arrays with no Python object for each.

simdjson hands over a whole array as one buffer of doubles, whatever its nesting. That the
nesting is right is known from the lengths of the inner arrays and, because an array could hide
where a number is expected, from the count of opening brackets in the body. Where those don't
add up, a slow walk over every value finds out why.
"""

import base64
import binascii
import contextlib
import math
import threading
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from bundle.manifest import DTYPES
from serve.errors import BadRequest

Shape = tuple[int, ...]

_MOST_DIMENSIONS = 8
_LONG_BODY = 8192
_KEPT_BYTES = 2**20  # the buffers take about twelve times as much as the longest body
_LARGEST_SIZE = 2**31


class _Kept(threading.local):
    """A parser for each thread, whose buffers are at hand for the next body."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_kept = _Kept()


def parse(body: bytes) -> Any:
    """Parse a JSON body.

    Raises:
        BadRequest: it is not JSON, or holds a number that no double can hold.

    """
    if len(body) <= _KEPT_BYTES:
        with contextlib.suppress(ValueError, RuntimeError):
            return _kept.parser.parse(body)
    # A new parser: for a rare long body, whose buffers shall not stay; to say what is wrong; or
    # because something still refers to what the kept one gave, so that it can't be used again.
    try:
        return simdjson.Parser().parse(body)
    except (ValueError, RuntimeError) as error:
        raise BadRequest(f"the body is not JSON: {str(error).partition('.')[0]}") from None


def kind(element: Any) -> str:
    """What an element is, in JSON's own words."""
    match element:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case simdjson.Array():
            return f"an array of {len(element)}"
    return "an object"


def count_brackets(body: bytes) -> int:
    """How many ``[`` a body has. In a long one numpy counts four times as fast as bytes does."""
    if len(body) < _LONG_BODY:
        return body.count(b"[")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("[")))


def array(element: Any, shape: Shape, where: str, brackets: int) -> NDArray[np.float64]:
    """Take a JSON array that must have exactly ``shape`` into an array.

    Args:
        element: what the parser gave.
        shape: what it must be; a ragged one is refused.
        where: its place in the document, for the message.
        brackets: how many ``[`` the whole body has.

    Raises:
        BadRequest: another length, or something that is no number; the message says where.

    """
    if not isinstance(element, simdjson.Array) or not _even(element, shape):
        raise _found(element, shape, where)
    try:
        buffer = element.as_buffer(of_type="d")
    except TypeError:
        raise _found(element, shape, where) from None
    if brackets != sum(math.prod(shape[:depth]) for depth in range(len(shape))):
        _walk(element, shape, where)
    return np.frombuffer(buffer, dtype=np.float64).reshape(shape)


def compact(element: simdjson.Object, where: str) -> NDArray[Any]:
    """Take ``{"b64": …, "dtype": …, "shape": […]}``: little-endian, row-major bytes as base64.

    Raises:
        BadRequest: a key is missing or malformed, or bytes and shape don't fit each other.

    """
    document = element.as_dict()
    text, name, sizes = (document.get(key) for key in ("b64", "dtype", "shape"))
    known = isinstance(name, str) and name in DTYPES
    if not (isinstance(text, str) and known and isinstance(sizes, list) and _are_sizes(sizes)):
        raise BadRequest(
            f'{where}: expected {{"b64": base64 text, "dtype": "uint8", "float32", …,'
            ' "shape": [whole numbers]}'
        )
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{where}: b64 is not base64") from None
    shape: Shape = tuple(sizes)
    dtype = np.dtype(str(name)).newbyteorder("<")
    expected = math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise BadRequest(
            f"{where}: {name} of shape {sizes} takes {expected} bytes, b64 holds {len(raw)}"
        )
    try:
        return np.frombuffer(raw, dtype=dtype).reshape(shape)
    except ValueError:  # a size of 0 beside sizes that no memory holds
        raise BadRequest(f"{where}: no array has shape {sizes}") from None


def _are_sizes(sizes: list[Any]) -> bool:
    """Bounded, so that their product costs nothing and is a number that any message can hold."""
    known = all(type(size) is int and 0 <= size <= _LARGEST_SIZE for size in sizes)
    return len(sizes) <= _MOST_DIMENSIONS and known


def _even(element: simdjson.Array, shape: Shape) -> bool:
    """Do all arrays above the innermost level have the lengths that ``shape`` says?"""
    if len(element) != shape[0]:
        return False
    if len(shape) == 1:
        return True
    if len(shape) == 2:  # the usual batch, in one pass
        kind_of_row = simdjson.Array
        lengths = {len(row) if type(row) is kind_of_row else -1 for row in element}
        return lengths <= {shape[1]}
    return all(isinstance(inner, simdjson.Array) and _even(inner, shape[1:]) for inner in element)


def _found(element: Any, shape: Shape, where: str) -> BadRequest:
    """What is wrong with an element of which it is known that something is."""
    try:
        _walk(element, shape, where)
    except BadRequest as error:
        return error
    return BadRequest(f"{where}: expected numbers")  # not reached: the walk refuses what got here


def _walk(element: Any, shape: Shape, where: str) -> None:
    if not shape:
        if isinstance(element, bool) or not isinstance(element, int | float):
            raise BadRequest(f"{where}: expected a number, got {kind(element)}")
        return
    if not isinstance(element, simdjson.Array) or len(element) != shape[0]:
        size = f"{shape[0]} numbers" if len(shape) == 1 else f"{shape[0]} arrays"
        raise BadRequest(f"{where}: expected an array of {size}, got {kind(element)}")
    for index, inner in enumerate(element):
        _walk(inner, shape[1:], f"{where}[{index}]")
