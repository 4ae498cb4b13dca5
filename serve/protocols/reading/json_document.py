"""Reads JSON documents: the numbers with the number kernel if possible, else with simdjson.

A protocol reads a document through ``Arrays``. The kernel converts the numbers and removes them
from the document; the protocol then reads the remainder in the same way. If anything is wrong, the
whole document is read again without the kernel, so error messages never depend on the kernel.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import simdjson
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import ServeError
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec
from serve.protocols.identity_cache import IdentityCache
from serve.protocols.interface import DecodedRequest, Tensors
from serve.protocols.number_kernel.extract import Extracted, extract
from serve.protocols.reading.json_arrays import Arrays, Shape, are_even

R = TypeVar("R", bound=DecodedRequest)
Read = Callable[[Arrays, ModelSpec, int], R]
"""Reads the arrays of a document in a protocol, for a model and up to so many rows."""

_LONGEST_REMEMBERED = 2048  # bytes; "[]," for each row, and the keys around them

_remembered: IdentityCache[tuple[Callable[[Tensors], Any], Shape]] = IdentityCache()


class DeclinedError(Exception):
    """The kernel converted other numbers than the protocol reads."""


class KernelArrays(Arrays):
    """The arrays of a document whose numbers the kernel has converted, taken in order."""

    def __init__(self, extracted: Extracted) -> None:
        super().__init__(extracted.remainder)
        self._numbers = extracted.numbers
        self._width = extracted.width
        self._next = 0

    def take(self, element: Any, shape: Shape, where: str, dtype: str) -> NDArray[Any]:
        """Take the next numbers, for an element that must have exactly ``shape``.

        Raises:
            DeclinedError: they do not belong to it.

        """
        *outer, width = shape
        known = isinstance(element, simdjson.Array) and are_even(element, (*outer, 0))
        if not known or width != self._width or dtype != self._numbers.dtype:
            raise DeclinedError
        begin = self._next
        self._next += self._count(shape)
        return self._numbers[begin : self._next].reshape(shape)

    def length(self, element: simdjson.Array) -> int:
        """Number of elements that an array has, or had in the document."""
        return len(element) or self._width

    def cast(self, array: NDArray[Any], spec: TensorSpec, exact: bool = False) -> NDArray[Any]:
        """Convert an array, unless it comes from the kernel, which has converted it."""
        return array if self._is_taken(array) else super().cast(array, spec, exact)

    def check(self, elsewhere: int = 0) -> None:
        """Check that all arrays of the document were taken.

        Raises:
            DeclinedError: one was not.

        """
        if not self._adds_up(elsewhere):
            raise DeclinedError

    def all_taken(self) -> bool:
        """Has every number been taken?"""
        return self._next == len(self._numbers)

    def _is_taken(self, array: NDArray[Any]) -> bool:
        own = self._numbers
        return array.base is (own if own.base is None else own.base)


def read(
    body: bytes, model_spec: ModelSpec, max_rows: int, read_arrays: Read[R], flat: bool = False
) -> R:
    """Read a document.

    Args:
        body: the document.
        model_spec: of the requested model.
        max_rows: of a request.
        read_arrays: called once, or twice where the numbers are not what the kernel took them for.
            What it returns depends on its arguments alone.
        flat: does the protocol have the values of all rows in one array?

    Raises:
        ServeError: the request is refused, by ``read_arrays``.

    """
    if len(model_spec.inputs) == 1:
        extracted = extract(body, model_spec.inputs[0], max_rows, flat)
        if extracted and _are_valid(extracted.numbers, model_spec.table):
            try:
                return _read_extracted(extracted, model_spec, max_rows, read_arrays)
            except (DeclinedError, ServeError):
                pass  # the same is found, and said, of the whole document
    return read_arrays(arrays_of(body, model_spec), model_spec, max_rows)


def arrays_of(body: bytes, model_spec: ModelSpec) -> Arrays:
    """The arrays of a document that is read without the kernel."""
    table = model_spec.table
    return Arrays(body, nullable=table is not None and table.accepts_missing)


def _are_valid(numbers: NDArray[Any], table: TableSpec | None) -> bool:
    """Are the numbers of the kernel rows that the features of a table, if it is one, accept?"""
    if table is None:
        return True
    width = len(table.features)
    return len(numbers) % width == 0 and bool(table.valid(numbers.reshape(-1, width)).all())


def _read_extracted(
    extracted: Extracted, model_spec: ModelSpec, max_rows: int, read_arrays: Read[R]
) -> R:
    """Read a remainder, or recall what one that was the same has been read as."""
    numbers = extracted.numbers
    key = (extracted.remainder, extracted.width, len(numbers), read_arrays, max_rows)
    name = model_spec.inputs[0].name
    if known := _remembered.find(model_spec, key):
        make, shape = known
        recalled: R = make({name: numbers.reshape(shape)})
        return recalled
    arrays = KernelArrays(extracted)
    request = read_arrays(arrays, model_spec, max_rows)
    if not arrays.all_taken():
        raise DeclinedError
    if len(extracted.remainder) <= _LONGEST_REMEMBERED:
        _remembered.keep(model_spec, key, (template_renderer(request), request.inputs[name].shape))
    return request


def template_renderer(request: R) -> Callable[[Tensors], R]:
    """Makes what differs from a request in its inputs alone."""
    fields = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
    del fields["inputs"]
    return functools.partial(type(request), **fields)
