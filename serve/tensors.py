"""Is a batch what the model takes? Whatever the protocol that brought it."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, TooLarge

_LARGEST = sys.float_info.max


def check_rows(rows: int, most: int) -> None:
    """Refuse a batch that is empty or larger than the server takes at once."""
    if rows == 0:
        raise BadRequest("expected at least one row, got an empty batch")
    if rows > most:
        raise TooLarge(f"expected at most {most} rows in one request, got {rows}")


def cast(array: NDArray[Any], spec: TensorSpec) -> NDArray[Any]:
    """Make ``array`` what the model's input takes: its dtype, every value finite and in range.

    Raises:
        BadRequest: a value is not; the message says which row and which value of it.

    """
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and is caught below
        batch = np.ascontiguousarray(array, dtype=spec.dtype)
    low, high = spec.range or (-_LARGEST, _LARGEST)
    # NaN if any value is, and then neither comparison holds. min() and max() only add time.
    smallest, largest = np.minimum.reduce(batch, None), np.maximum.reduce(batch, None)
    if low <= float(smallest) and float(largest) <= high:
        return batch
    raise BadRequest(_first_bad(array, batch, spec))


def _first_bad(array: NDArray[Any], batch: NDArray[Any], spec: TensorSpec) -> str:
    low, high = spec.range or (-np.inf, np.inf)
    bad = ~(np.isfinite(batch) & (batch >= low) & (batch <= high))
    row, *position = (int(index) for index in np.argwhere(bad)[0])
    expected = f"a number from {low:g} to {high:g}" if spec.range else f"a finite {spec.dtype}"
    where = f"row {row}, value {', '.join(map(str, position))}"
    return f"{where}: expected {expected}, got {float(array[row, *position]):g}"
