"""Tensors of the Open Inference Protocol that are sent as bytes after the JSON.

Source: Triton's extension_binary_data.md.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest
from serve.protocols import tensors

LENGTH_BYTES = 4
"""Of the length before each text."""


@dataclass(frozen=True, slots=True)
class BinaryTensor:
    """Position, dtype and shape of the bytes of one tensor."""

    spec: TensorSpec
    """The input of the model."""
    dtype: np.dtype[Any]
    """Little-endian."""
    shape: tuple[int, ...]
    begin: int
    end: int

    def take(self, rest: memoryview) -> NDArray[Any]:
        """Convert the tensor for the input of the model.

        Raises:
            BadRequest: the input does not accept one of its values.

        """
        raw = rest[self.begin : self.end]
        if self.dtype.kind == "b" and bytes(raw).strip(b"\0\1"):
            raise BadRequest(f"{self.spec.name}: a byte of a BOOL tensor is neither 0 nor 1")
        array = np.frombuffer(raw, self.dtype).reshape(self.shape)
        if not array.flags.aligned:  # the JSON may be of any length
            array = array.copy()
        return tensors.cast(array, self.spec, exact=self.dtype != self.spec.dtype)


def encode(array: NDArray[Any]) -> bytes:
    """The bytes of an output. Each text has its length in four bytes before it."""
    if array.dtype.kind == "O":
        texts = [text.encode() for text in array.ravel().tolist()]
        return b"".join(len(text).to_bytes(LENGTH_BYTES, "little") + text for text in texts)
    return (array if sys.byteorder == "little" else array.byteswap()).tobytes()
