"""Arrays that stand in a JSON document as base64."""

import base64
import binascii
import math
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from bundle.manifest import DTYPES
from serve.errors import BadRequest
from serve.protocols.reading import json_arrays
from serve.protocols.reading.json_arrays import Shape

_MOST_DIMENSIONS = 8
_LARGEST_SIZE = 2**31


def decode(element: simdjson.Object, where: str) -> NDArray[Any]:
    """Convert ``{"b64": …, "dtype": …, "shape": […]}``: little-endian, row-major bytes as base64.

    Raises:
        BadRequest: a key is missing or malformed, or the bytes do not have the shape.

    """
    text, name, listed = (json_arrays.member(element, key) for key in ("b64", "dtype", "shape"))
    sizes = json_arrays.short_list(listed, _MOST_DIMENSIONS)
    known = isinstance(name, str) and name in DTYPES
    if not (isinstance(text, str) and known and sizes is not None and _are_sizes(sizes)):
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
    if dtype.kind == "b" and raw.strip(b"\0\1"):
        raise BadRequest(f"{where}: a byte of bool is neither 0 nor 1")
    try:
        return np.frombuffer(raw, dtype=dtype).reshape(shape)
    except ValueError:  # a size of 0, with other sizes that are too large
        raise BadRequest(f"{where}: no array has shape {sizes}") from None


def _are_sizes(sizes: list[Any]) -> bool:
    """Are all sizes integers of at most 2³¹? Their product is then cheap and short to print."""
    return all(type(size) is int and 0 <= size <= _LARGEST_SIZE for size in sizes)
