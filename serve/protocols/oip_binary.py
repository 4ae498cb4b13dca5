"""Tensors of the Open Inference Protocol that come as bytes behind the JSON.

Source: Triton's extension_binary_data.md. A client sends the same JSON again and again, with other
bytes: where each tensor lies is remembered by it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve import tensors
from serve.errors import BadRequest
from serve.signature import Signature

_MOST_REMEMBERED = 128
_LONGEST_REMEMBERED = 2048  # bytes of JSON


@dataclass(frozen=True, slots=True)
class Place:
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


class Remembered:
    """What documents were read as, without the bytes behind them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Signature, Any, list[Place]]] = {}

    def find(
        self, head: bytes, rest: memoryview, signature: Signature, max_rows: int
    ) -> tuple[Any, list[Place]] | None:
        """What ``keep`` was told of this document, for as many bytes behind it."""
        known = self._known.get((id(signature), max_rows, len(rest), head))
        return known[1:] if known else None

    def keep(
        self,
        head: bytes,
        rest: memoryview,
        signature: Signature,
        max_rows: int,
        read: Any,
        places: list[Place],
    ) -> None:
        """Remember a document that is not long, all of whose tensors came as bytes."""
        if len(head) > _LONGEST_REMEMBERED:
            return
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        # With the signature, whose id stays its own as long as it is here.
        self._known[id(signature), max_rows, len(rest), head] = signature, read, places
