"""Is a batch what the model takes? Whatever the protocol that brought it."""

from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import BATCH, TensorSpec
from serve.errors import BadRequest, TooLarge
from serve.signature import Signature

_LARGEST_SIZE = 2**31
_LARGEST = {name: float(np.finfo(name).max) for name in ("float16", "float32", "float64")}


def check_rows(rows: int, most: int, signature: Signature) -> None:
    """Refuse a batch that is empty, or larger than the server or the model takes at once."""
    if rows == 0:
        raise BadRequest("expected at least one row, got an empty batch")
    if rows > most:
        raise TooLarge(f"expected at most {most} rows in one request, got {rows}")
    if signature.fixed_rows not in (None, rows):
        raise BadRequest(f"this model takes {signature.fixed_rows} rows at a time, got {rows}")


def check_equal_rows(inputs: dict[str, NDArray[Any]]) -> int:
    """How many rows the inputs have, which must be as many in each."""
    rows = {len(array) for array in inputs.values()}
    if len(rows) > 1:
        counts = ", ".join(f"{name} has {len(array)}" for name, array in inputs.items())
        raise BadRequest(f"expected as many rows in each input, but {counts}")
    return rows.pop()


def check_names(names: AbstractSet[str], signature: Signature) -> None:
    """Refuse what are not just the model's inputs."""
    if names != signature.by_name.keys():
        got = ", ".join(sorted(map(str, names))) or "none"
        raise BadRequest(f"expected the inputs {', '.join(signature.by_name)}; got {got}")


def fits(shape: tuple[Any, ...], spec: TensorSpec) -> bool:
    """Is it a shape, and that of ``spec``, where -1 stands for any size?"""
    if len(shape) != len(spec.shape):
        return False
    for size, expected in zip(shape, spec.shape, strict=True):
        if type(size) is not int or expected not in (size, BATCH) or not 0 <= size < _LARGEST_SIZE:
            return False
    return True


def cast(array: NDArray[Any], spec: TensorSpec, exact: bool = False) -> NDArray[Any]:
    """Make ``array`` what the model's input takes: its dtype, every value finite and in range.

    Args:
        array: of any dtype, with at least one value.
        spec: of the input.
        exact: may no value change, not even by the rounding of one float to a shorter one? A
            whole number or a truth value never does.

    Raises:
        BadRequest: a value can't be had so; the message says which row and which value of it.

    """
    floating = spec.dtype in _LARGEST
    with np.errstate(all="ignore"):  # what does not fit is found below
        batch = np.ascontiguousarray(array, dtype=spec.dtype)
    if floating:
        low, high = spec.range or (-_LARGEST[spec.dtype], _LARGEST[spec.dtype])
        # NaN if any value is, and then neither comparison holds. min() and max() only add time.
        smallest, largest = np.minimum.reduce(batch, None), np.maximum.reduce(batch, None)
        if not (low <= float(smallest) and float(largest) <= high):
            raise BadRequest(_first_bad(array, batch, spec))
    if exact or not floating:
        _check_unchanged(array, batch, spec)
    return batch


def _check_unchanged(array: NDArray[Any], batch: NDArray[Any], spec: TensorSpec) -> None:
    if not np.can_cast(array.dtype, batch.dtype, "safe"):
        with np.errstate(all="ignore"):
            same = batch.astype(array.dtype) == array
        if not same.all():
            raise BadRequest(_lossy(array, ~same, spec))
    if spec.range and batch.dtype.kind in "iu":
        low, high = spec.range
        if not (low <= batch.min() and batch.max() <= high):
            raise BadRequest(_first_bad(array, batch, spec))


def _first_bad(array: NDArray[Any], batch: NDArray[Any], spec: TensorSpec) -> str:
    low, high = spec.range or (-np.inf, np.inf)
    where, value = _first(array, ~(np.isfinite(batch) & (batch >= low) & (batch <= high)))
    expected = f"a number from {low:g} to {high:g}" if spec.range else f"a finite {spec.dtype}"
    return f"{where}: expected {expected}, got {value:g}"


def _lossy(array: NDArray[Any], bad: NDArray[np.bool_], spec: TensorSpec) -> str:
    where, value = _first(array, bad)
    return f"{where}: {value!r} can't be had as {spec.dtype} without a loss"


def _first(array: NDArray[Any], bad: NDArray[np.bool_]) -> tuple[str, Any]:
    """Where the first bad value is, in words, and the value."""
    row, *position = (int(index) for index in np.argwhere(bad)[0])
    where = f"row {row}, value {', '.join(map(str, position))}" if position else f"row {row}"
    return where, array[row, *position].item()
