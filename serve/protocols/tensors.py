"""Checks and converts batches for the inputs of a model, in any protocol."""

import functools
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import BATCH, TensorSpec
from serve.errors import BadRequest, TooLarge, quoted
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec
from serve.protocols import table_values

_LARGEST_SIZE = 2**31
_MOST_LISTED = 20
_LARGEST = {name: float(np.finfo(name).max) for name in ("float16", "float32", "float64")}


def check_rows(rows: int, most: int, model_spec: ModelSpec) -> None:
    """Refuse a batch that is empty, or larger than the server or the model accepts."""
    if rows == 0:
        raise BadRequest("expected at least one row, got an empty batch")
    if rows > most:
        raise TooLarge(f"expected at most {most} rows in one request, got {rows}")
    if model_spec.fixed_rows not in (None, rows):
        raise BadRequest(f"this model takes {model_spec.fixed_rows} rows at a time, got {rows}")


def check_equal_rows(inputs: dict[str, NDArray[Any]]) -> int:
    """Number of rows, which must be the same in all inputs."""
    rows = {len(array) for array in inputs.values()}
    if len(rows) > 1:
        counts = ", ".join(f"{name} has {len(array)}" for name, array in inputs.items())
        raise BadRequest(f"expected as many rows in each input, but {counts}")
    return rows.pop()


def check_names(names: AbstractSet[str], model_spec: ModelSpec) -> None:
    """Refuse names other than those of all inputs of the model."""
    if names != model_spec.by_name.keys():
        got = f"{len(names)} names"
        if 0 < len(names) <= _MOST_LISTED:
            got = quoted(", ".join(sorted(names)))
        raise BadRequest(f"expected the inputs {', '.join(model_spec.by_name)}; got {got}")


def fits(shape: tuple[Any, ...], spec: TensorSpec) -> bool:
    """Is it a valid shape for ``spec``, in which -1 means any size?"""
    if len(shape) != len(spec.shape):
        return False
    for size, expected in zip(shape, spec.shape, strict=True):
        if type(size) is not int or expected not in (size, BATCH) or not 0 <= size < _LARGEST_SIZE:
            return False
    return True


def cast(array: NDArray[Any], spec: TensorSpec, exact: bool = False) -> NDArray[Any]:
    """Convert ``array`` to the dtype of an input; all values must be finite and in range.

    In a table, NaN is also a value where a feature accepts missing ones.

    Args:
        array: of any dtype, with at least one value.
        spec: of the input.
        exact: refuse any change of a value, also the rounding of a float to a shorter one?
            Integers and booleans never change.

    Raises:
        BadRequest: a value can't be converted; the message says which.

    """
    if not array.size:
        raise BadRequest(f"{spec.name}: expected at least one value, got {list(array.shape)}")
    floating = spec.dtype in _LARGEST
    with np.errstate(all="ignore"):  # invalid values are found below
        batch = np.ascontiguousarray(array, dtype=spec.dtype)
    if isinstance(spec, TableSpec):
        table_values.check(array, batch, spec)
    elif floating:
        low, high = bounds(spec.range, spec.dtype)
        # NaN if any value is NaN; then both comparisons are false. min() and max() take longer.
        smallest, largest = np.minimum.reduce(batch, None), np.maximum.reduce(batch, None)
        if not (low <= float(smallest) and float(largest) <= high):
            raise BadRequest(_first_bad(array, batch, spec))
    if exact or not floating:
        _check_unchanged(array, batch, spec)
    return batch


@functools.lru_cache(256)
def bounds(limits: tuple[float, float] | None, dtype: str) -> tuple[float, float]:
    """The smallest and largest value of a range, or of all numbers, in a floating dtype."""
    low, high = limits or (-_LARGEST[dtype], _LARGEST[dtype])
    return float(np.dtype(dtype).type(low)), float(np.dtype(dtype).type(high))


def _check_unchanged(array: NDArray[Any], batch: NDArray[Any], spec: TensorSpec) -> None:
    same = _unchanged(array, batch)
    if not same.all():
        raise BadRequest(_lossy(array, ~same, spec))
    if spec.range and batch.dtype.kind in "iu":
        low, high = spec.range
        if not (low <= batch.min() and batch.max() <= high):
            raise BadRequest(_first_bad(array, batch, spec))


def _unchanged(array: NDArray[Any], batch: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values has a cast not changed? Casting back is not enough to know."""
    source, target = array.dtype, batch.dtype
    wide = source.kind in "iu" and source.itemsize == 8
    if np.can_cast(source, target, "safe") and not (wide and target.kind == "f"):
        return np.ones(array.shape, bool)  # numpy considers int64 to float64 safe, but it is not
    with np.errstate(all="ignore"):  # also for bounds that a float16 can't represent
        same = batch.astype(source) == array
        if source.kind == target.kind == "f":
            same |= np.isnan(array)
        if source.kind in "iu" and target.kind in "iu":  # -1 as uint8 is 255, and -1 again
            same &= (batch < 0) == (array < 0)
        elif source.kind == "f" and target.kind in "iu":  # a larger one may have been rounded
            same &= np.abs(array) < 2.0**53
        elif wide and target.kind == "f":  # the largest are rounded up beyond the integer type
            same &= batch < (2.0**63 if source.kind == "i" else 2.0**64)
    return np.asarray(same)


def _first_bad(array: NDArray[Any], batch: NDArray[Any], spec: TensorSpec) -> str:
    low, high = spec.range or (-np.inf, np.inf)
    if batch.dtype.kind == "f":
        low, high = bounds(spec.range, spec.dtype)
    with np.errstate(invalid="ignore"):  # numpy warns of a signalling NaN
        values = batch.astype(np.float64)
    where, value = _first(array, ~(np.isfinite(values) & (values >= low) & (values <= high)))
    expected = f"a number from {low:.6g} to {high:.6g}" if spec.range else f"a finite {spec.dtype}"
    return f"{where}: expected {expected}, got {value:g}"


def _lossy(array: NDArray[Any], bad: NDArray[np.bool_], spec: TensorSpec) -> str:
    where, value = _first(array, bad)
    return f"{where}: {value!r} can't be had as {spec.dtype} without a loss"


def _first(array: NDArray[Any], bad: NDArray[np.bool_]) -> tuple[str, Any]:
    """The position of the first invalid value, as text, and the value."""
    row, *position = (int(index) for index in np.argwhere(bad)[0])
    where = f"row {row}, value {', '.join(map(str, position))}" if position else f"row {row}"
    return where, array[row, *position].item()
