"""Converts JSON arrays of numbers to numpy arrays, without a Python object for each number.

simdjson returns an array of any nesting as one flat buffer. Two checks ensure that the nesting is
right: the lengths of the inner arrays, and the number of opening brackets in the body, because an
array could stand in place of a number. If a check fails, a slow walk over all values finds the
error.
"""

import contextlib
import math
import threading
from typing import Any, Literal

import numpy as np
import simdjson
from numpy.typing import NDArray

from bundle.manifest import BATCH, DTYPES, TensorSpec
from serve.errors import BadRequest
from serve.protocols import tensors

Shape = tuple[int, ...]
Code = Literal["d", "i", "u"]

_LONG_BODY = 8192
_KEPT_BYTES = 2**20  # the parser's buffers are twelve times as large as the longest body
_MOST_KEYS = 2**16
# The buffer types of simdjson to try for a kind of dtype, in this order.
_KINDS: dict[str, tuple[tuple[Code, type], ...]] = {
    "f": (("d", np.float64),),
    "i": (("i", np.int64), ("d", np.float64)),
    "u": (("u", np.uint64), ("d", np.float64)),
}
_BUFFERS = {name: _KINDS[np.dtype(name).kind] for name in DTYPES - {"bool"}}


class _Kept(threading.local):
    """A parser for each thread; it keeps its buffers for the next body."""

    def __init__(self) -> None:
        self.parser = simdjson.Parser()


_kept = _Kept()


def parse(body: bytes) -> Any:
    """Parse a JSON body.

    Raises:
        BadRequest: it is not JSON, or contains a number that a double can't represent.

    """
    if len(body) <= _KEPT_BYTES:
        with contextlib.suppress(ValueError, RuntimeError):
            return _kept.parser.parse(body)
    # A new parser is needed for a long body, whose buffers must not be kept, for the message of an
    # error, or if something still refers to the last result of the kept parser.
    try:
        return simdjson.Parser().parse(body)
    except (ValueError, RuntimeError) as error:
        raise BadRequest(f"the body is not JSON: {str(error).partition('.')[0]}") from None


def kind(element: Any) -> str:
    """The type of an element, in the terms of JSON."""
    match element:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case simdjson.Array() | list():
            return f"an array of {len(element)}"
    return "an object"


def _count_brackets(body: bytes) -> int:
    """Number of ``[`` in a body. For long ones, numpy counts four times as fast as bytes."""
    if len(body) < _LONG_BODY:
        return body.count(b"[")
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord("[")))


def shape_of(element: Any, shape: Shape) -> Shape:
    """``shape`` with each -1 replaced by the length of the array in this dimension."""
    sizes = []
    for size in shape:
        known = isinstance(element, simdjson.Array)
        sizes.append((len(element) if known else 1) if size == BATCH else size)
        element = element[0] if known and len(element) else None
    return tuple(sizes)


class Arrays:
    """Converts the arrays of one body. Call ``check`` after the last one."""

    def __init__(self, body: bytes, nullable: bool = False) -> None:
        """Begin.

        Args:
            body: the document.
            nullable: may null stand for a number? It becomes NaN.

        """
        self.body = body
        self._nullable = nullable
        self._taken: list[tuple[Any, Shape, str, str]] = []
        self._brackets = 0

    def take(self, element: Any, shape: Shape, where: str, dtype: str) -> NDArray[Any]:
        """Convert a JSON array that must have exactly ``shape``.

        Args:
            element: from the parser.
            shape: that it must have; a ragged array is refused.
            where: its position in the document, for messages.
            dtype: of the tensor. The result has int64 or uint64 for integers, else float64.

        Raises:
            BadRequest: a length or the type of a value is wrong; the message says where.

        """
        if not isinstance(element, simdjson.Array) or not are_even(element, shape):
            raise _found(element, shape, where, dtype, self._nullable)
        array = _numbers(element, dtype) if dtype != "bool" else _booleans(element, shape, where)
        if array is None and self._nullable:
            check_values(element, shape, where, dtype, nullable=True)
            array = np.array(element.as_list(), np.float64).ravel()
        if array is None or array.size != math.prod(shape):
            raise _found(element, shape, where, dtype, self._nullable)
        self._taken.append((element, shape, where, dtype))
        self._count(shape)
        return array if len(shape) == 1 else array.reshape(shape)

    def check(self, elsewhere: int = 0) -> None:
        """Check that no array stands in place of a number, which the lengths do not show.

        Args:
            elsewhere: number of arrays in the document that were not converted. If the count is
                wrong, all converted arrays are checked value by value.

        Raises:
            BadRequest: an array does; the message says where.

        """
        if not self._adds_up(elsewhere):
            for taken in self._taken:
                check_values(*taken, self._nullable)

    def length(self, element: simdjson.Array) -> int:
        """Number of elements of an array."""
        return len(element)

    def cast(self, array: NDArray[Any], spec: TensorSpec, exact: bool = False) -> NDArray[Any]:
        """Convert an array for an input of the model; see ``tensors.cast``."""
        return tensors.cast(array, spec, exact)

    def _count(self, shape: Shape) -> int:
        """Count the brackets of a converted array; returns the number of its values."""
        inner = 1
        for size in shape:
            self._brackets += inner
            inner *= size
        return inner

    def _adds_up(self, elsewhere: int) -> bool:
        return self._brackets + elsewhere == _count_brackets(self.body)


def _numbers(element: simdjson.Array, dtype: str) -> NDArray[Any] | None:
    """All numbers of an array of any nesting; None if it contains anything else."""
    for code, buffer in _BUFFERS[dtype]:
        try:
            return np.frombuffer(element.as_buffer(of_type=code), buffer)
        except (TypeError, ValueError):  # another type, or out of range
            continue
    return None


def _booleans(element: simdjson.Array, shape: Shape, where: str) -> NDArray[Any]:
    check_values(element, shape, where, "bool")
    return np.array(element.as_list(), dtype=bool)


def keys(element: simdjson.Object) -> set[str]:
    """The keys of an object. Each takes more memory than in the document.

    Raises:
        BadRequest: there are too many.

    """
    if len(element) > _MOST_KEYS:
        raise BadRequest(f"expected at most {_MOST_KEYS} keys in an object, got {len(element)}")
    return set(element.keys())


def member(element: simdjson.Object, key: str) -> Any:
    """A member of an object; None if it is missing or null."""
    try:
        return element[key]
    except KeyError:
        return None


def short_list(element: Any, most: int) -> list[Any] | None:
    """The elements of an array, inner ones unconverted; None if it is no array, or too long."""
    known = isinstance(element, simdjson.Array) and len(element) <= most
    return list(element) if known else None


def are_even(element: simdjson.Array, shape: Shape) -> bool:
    """Do all arrays above the innermost level have the lengths in ``shape``?"""
    if len(element) != shape[0]:
        return False
    if len(shape) == 1:
        return True
    if (
        len(shape) == 2
    ):  # the usual batch, in one pass; other elements with a length are found later
        rows: Any = element
        try:
            return set(map(len, rows)) <= {shape[1]}
        except TypeError:
            return False
    return all(
        isinstance(inner, simdjson.Array) and are_even(inner, shape[1:]) for inner in element
    )


def _found(element: Any, shape: Shape, where: str, dtype: str, nullable: bool) -> BadRequest:
    """The error for an element that is known to be wrong."""
    try:
        check_values(element, shape, where, dtype, nullable)
    except BadRequest as error:
        return error
    return BadRequest(f"{where}: expected numbers")  # not reached: the walk finds every error


def check_values(
    element: Any, shape: Shape, where: str, dtype: str, nullable: bool = False
) -> None:
    """Check every value of an element that must have exactly ``shape``; () for a single value.

    Where it is nullable, null may stand for a number.

    Raises:
        BadRequest: a length or the type of a value is wrong; the message says where.

    """
    if not shape:
        if dtype == "bool" and not isinstance(element, bool):
            raise BadRequest(f"{where}: expected true or false, got {kind(element)}")
        if element is None and nullable:
            return
        if dtype != "bool" and (isinstance(element, bool) or not isinstance(element, int | float)):
            raise BadRequest(f"{where}: expected a number, got {kind(element)}")
        return
    if not isinstance(element, simdjson.Array) or len(element) != shape[0]:
        what = ("values" if dtype == "bool" else "numbers") if len(shape) == 1 else "arrays"
        raise BadRequest(f"{where}: expected an array of {shape[0]} {what}, got {kind(element)}")
    for index, inner in enumerate(element):
        check_values(inner, shape[1:], f"{where}[{index}]", dtype, nullable)
