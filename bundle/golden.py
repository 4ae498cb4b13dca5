"""``golden.npz``: a few real inputs and the outputs that a server must produce for them."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.errors import BundleError

Tensors = Mapping[str, NDArray[Any]]

# Between two CPUs (AVX2, AVX-512, NEON) the sums of a small dense network differ by
# about 1e-6 in a probability; a damaged or wrong model differs by 0.01 and more.
TOLERANCE = 1e-4

# What numpy, zipfile and zlib raise for bytes that are not such an archive.
_DAMAGE = (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Golden:
    """Inputs and expected outputs, both name -> array with the same number of rows."""

    inputs: Tensors
    outputs: Tensors
    tolerance: float = TOLERANCE
    """Largest difference of an output from the expected one."""

    def to_npz(self) -> bytes:
        """The arrays as ``inputs/<name>`` and ``outputs/<name>``; same arrays, same bytes."""
        buffer = io.BytesIO()
        arrays = {f"inputs/{name}": array for name, array in self.inputs.items()}
        arrays |= {f"outputs/{name}": _unpickled(array) for name, array in self.outputs.items()}
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_npz(cls, data: bytes, tolerance: float = TOLERANCE) -> "Golden":
        """Read what ``to_npz`` wrote, without unpickling. The tolerance comes from the manifest.

        Raises:
            BundleError: ``data`` is not such an archive.

        """
        sides: dict[str, dict[str, NDArray[Any]]] = {"inputs": {}, "outputs": {}}
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                for key in archive.files:
                    side, name = key.split("/", 1)
                    sides[side][name] = archive[key]
        except _DAMAGE as error:
            raise BundleError(f"not a file of golden answers: {error}") from None
        return cls(sides["inputs"], sides["outputs"], tolerance)

    def check(self, outputs: Tensors) -> None:
        """Compare a model's ``outputs`` for ``inputs`` with the expected ones.

        Raises:
            BundleError: an output is missing, has another shape, or differs by more than
                the tolerance.

        """
        for name, expected in self.outputs.items():
            if name not in outputs:
                raise BundleError(f"golden answers: the model has no output {name!r}")
            got = outputs[name]
            if got.shape != expected.shape:
                raise BundleError(
                    f"golden answers: {name} has shape {got.shape}, expected {expected.shape}"
                )
            if expected.dtype.kind == "U":
                if not np.array_equal(got.astype(str), expected):
                    raise BundleError(f"golden answers: {name} has other texts than published")
                continue
            difference = float(np.max(np.abs(got.astype(np.float64) - expected), initial=0.0))
            if not difference <= self.tolerance:  # also true for NaN
                raise BundleError(
                    f"golden answers: {name} differs by {difference:.3g},"
                    f" allowed {self.tolerance:.0e}; the model does not answer as published"
                )


def _unpickled(array: NDArray[Any]) -> NDArray[Any]:
    """Texts as numpy's own; onnxruntime's are objects, which only pickle could write."""
    return array.astype(str) if array.dtype.kind == "O" else array
