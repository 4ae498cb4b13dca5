"""Takes the numbers of one input out of a JSON document, by the kernel."""

import ctypes
import functools
import math
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.protocols import tensors
from serve.protocols.identity_cache import IdentityCache
from serve.protocols.number_kernel import library

# In the order of the kernel's enum.
_DTYPES = (
    *("float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64"),
)
_LEAST_WIDTH = 4  # shorter arrays are not worth a call
_MOST_REMAINDER = 2**16
_SHORT_BODY = 2**14  # its numbers are copied; for others, an array is worth asking for its address


class _Plan(ctypes.Structure):
    """What an input takes; ``struct plan`` of kernel.c."""

    _fields_ = (
        ("dtype", ctypes.c_uint64),
        ("low", ctypes.c_double),
        ("high", ctypes.c_double),
        ("whole_low", ctypes.c_int64),
        ("whole_high", ctypes.c_int64),
        ("width", ctypes.c_uint64),
        ("side", ctypes.c_uint64),
        ("row", ctypes.c_uint64),
    )


class _Task(ctypes.Structure):
    """Where numbers go; ``struct task`` of kernel.c."""

    _fields_ = (
        ("numbers", ctypes.c_void_p),
        ("most_numbers", ctypes.c_uint64),
        ("remainder", ctypes.c_void_p),
        ("most_remainder", ctypes.c_uint64),
        ("count", ctypes.c_uint64),
        ("width", ctypes.c_uint64),
    )


class _Scratch:
    """Memory that is used again. Its addresses are taken once, for to ask for one is slow."""

    def __init__(self) -> None:
        self._remainder = np.empty(_MOST_REMAINDER, np.uint8)
        numbers = np.empty(_SHORT_BODY // 2 + 1, np.float64)
        self.numbers = {dtype: numbers.view(dtype)[: len(numbers)] for dtype in _DTYPES}
        self.remainder = self._remainder.data
        self.task = self.task_of(numbers)

    def task_of(self, numbers: NDArray[Any]) -> _Task:
        """Have so many numbers written there, and the remainder here."""
        remainder = self._remainder.ctypes.data
        return _Task(numbers.ctypes.data, len(numbers), remainder, _MOST_REMAINDER)


class _Kept(threading.local):
    def __init__(self) -> None:
        self.scratch = _Scratch()


@dataclass(slots=True)
class Extracted:
    """A document in two parts."""

    remainder: bytes
    """The document, in which each array whose numbers were taken is empty."""
    numbers: NDArray[Any]
    """All of them, one array after the other, of the input's dtype and within its range."""
    width: int
    """How many were in each array."""


_kept = _Kept()


def extract(body: bytes, spec: TensorSpec, max_rows: int, flat: bool) -> Extracted | None:
    """Take the numbers out of a JSON document.

    Args:
        body: the document.
        spec: of the input that they are for.
        max_rows: of the input; no more memory is asked for than these take, nor than the body
            could fill.
        flat: may the values of all rows stand in a single array?

    Returns:
        None where the kernel is not there, or declines the document.

    """
    call = compiled()
    if call is None:
        return None
    if (planned := _plans.find(spec, flat)) is None:
        planned = _plan(spec, flat)
        _plans.keep(spec, flat, planned)
    plan, row = planned
    if plan is None:
        return None
    scratch = _kept.scratch
    length = len(body)
    if length <= _SHORT_BODY:
        numbers, task = scratch.numbers[spec.dtype], scratch.task
    else:
        numbers = np.empty(min(length // 2 + 1, max_rows * row), spec.dtype)
        task = scratch.task_of(numbers)
    kept = call(body, length, plan, task)
    if not kept:
        return None
    numbers = numbers[: task.count]
    if task is scratch.task:
        numbers = numbers.copy()
    return Extracted(scratch.remainder[:kept].tobytes(), numbers, task.width)


@functools.cache
def compiled() -> Any:
    """The kernel's function; None where there is no kernel."""
    loaded = library.load().loaded
    if loaded is None:
        return None
    function = loaded.extract_numbers
    function.restype = ctypes.c_uint64
    pointers = ctypes.POINTER(_Plan), ctypes.POINTER(_Task)
    function.argtypes = (ctypes.c_char_p, ctypes.c_uint64, *pointers)
    return function


_plans: IdentityCache[tuple[_Plan | None, int]] = IdentityCache()


def _plan(spec: TensorSpec, flat: bool) -> tuple[_Plan | None, int]:
    """What the kernel is to know of an input that it takes, and how many values a row has."""
    shape = spec.shape[1:]
    if spec.dtype not in _DTYPES or min(shape, default=0) < 1 or shape[-1] < _LEAST_WIDTH:
        return None, 0
    if spec.range and not all(map(math.isfinite, spec.range)):
        return None, 0
    row = math.prod(shape)
    side = math.isqrt(row)
    if len(shape) > 1 or side * side != row:
        side = 0
    plan = _Plan(
        dtype=_DTYPES.index(spec.dtype), width=shape[-1], side=side, row=row if flat else 0
    )
    if np.dtype(spec.dtype).kind == "f":
        plan.low, plan.high = tensors.bounds(spec.range, spec.dtype)
    else:
        held = np.iinfo(spec.dtype)
        low, high = spec.range or (held.min, held.max)
        plan.whole_low = math.ceil(max(low, held.min))
        plan.whole_high = math.floor(min(high, held.max, 2**63 - 1))
    return plan, row
