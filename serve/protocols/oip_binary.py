"""A tensor of the Open Inference Protocol that comes as bytes behind the JSON.

Source: Triton's extension_binary_data.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest
from serve.protocols import tensors


@dataclass(frozen=True, slots=True)
class BinaryTensor:
    """Where the bytes of one tensor lie, and what they are."""

    spec: TensorSpec
    """Of the input that it is for."""
    dtype: np.dtype[Any]
    """Little-endian."""
    shape: tuple[int, ...]
    begin: int
    end: int

    def take(self, rest: memoryview) -> NDArray[Any]:
        """The tensor, as the model's input takes it.

        Raises:
            BadRequest: a value of it is not what the input takes.

        """
        raw = rest[self.begin : self.end]
        if self.dtype.kind == "b" and bytes(raw).strip(b"\0\1"):
            raise BadRequest(f"{self.spec.name}: a byte of a BOOL tensor is neither 0 nor 1")
        array = np.frombuffer(raw, self.dtype).reshape(self.shape)
        if not array.flags.aligned:  # the JSON may be of any length
            array = array.copy()
        return tensors.cast(array, self.spec, exact=self.dtype != self.spec.dtype)
