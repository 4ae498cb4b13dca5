"""A table in the Open Inference Protocol as a tensor for each feature.

A number comes in any numeric datatype, a category as BYTES, a boolean as BOOL. BYTES are, in the
binary extension, a length of four bytes before each text (Triton's extension_binary_data.md).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from bundle.features import Feature
from serve.errors import BadRequest, quoted
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec
from serve.protocols import tensors
from serve.protocols.open_inference.binary_tensor import LENGTH_BYTES
from serve.protocols.open_inference.datatypes import BYTES, DTYPES
from serve.protocols.open_inference.members import member, parameter
from serve.protocols.reading import json_arrays, table_cells, table_names
from serve.protocols.reading.table_cells import Cells

_DATATYPES = {"number": tuple(DTYPES.keys() - {"BOOL"}), "category": (BYTES,), "boolean": ("BOOL",)}


class FeaturesReader:
    """Reads the tensors of one request, which are in the JSON or in the bytes behind it."""

    def __init__(
        self, rest: memoryview, spec: TableSpec, model_spec: ModelSpec, max_rows: int
    ) -> None:
        self.taken = 0
        """Bytes behind the JSON that have been read."""
        self._rest = rest
        self._spec = spec
        self._model_spec = model_spec
        self._max_rows = max_rows

    def read(self, named: Sequence[tuple[str, Any]]) -> NDArray[np.float32]:
        """The batch, shape (N, features), of names and tensors.

        Raises:
            BadRequest: the tensors are not the features, or one does not accept a value.
            TooLarge: there are too many rows.

        """
        spec = self._spec
        table_names.check([name for name, _ in named], spec, "inputs")
        columns = {  # in the order of the bytes that follow
            name: self._cells(tensor, spec.features[spec.positions[name]]) for name, tensor in named
        }
        if len({len(cells) for cells in columns.values()}) > 1:
            counts = ", ".join(f"{name} has {len(cells)}" for name, cells in columns.items())
            raise BadRequest(f"expected as many rows in each input, but {counts}")
        return table_cells.from_columns(
            [columns[name] for name in spec.names], spec, "{name}[{row}]"
        )

    def _cells(self, tensor: Any, feature: Feature) -> Cells:
        name = feature.name
        datatype = member(tensor, "datatype", str, name)
        if datatype not in _DATATYPES[feature.kind]:
            expected = "a numeric datatype" if feature.kind == "number" else None
            expected = expected or _DATATYPES[feature.kind][0]
            raise BadRequest(f"{name}: expected {expected}, got {quoted(datatype)}")
        element = member(tensor, "shape", simdjson.Array, name)
        shape = json_arrays.short_list(element, 2) or []
        if not shape or type(shape[0]) is not int or shape[1:] not in ([], [1]):
            raise BadRequest(f"{name}: expected shape [N] or [N, 1]")
        rows = shape[0]
        tensors.check_rows(rows, self._max_rows, self._model_spec)
        size = parameter(tensor, "binary_data_size", name)
        if size is not None:
            return self._binary(size, datatype, rows, name)
        return _from_json(member(tensor, "data", simdjson.Array, name), rows, name)

    def _binary(self, size: Any, datatype: str, rows: int, name: str) -> Cells:
        left = len(self._rest) - self.taken
        if type(size) is not int or not 0 <= size <= left:
            raise BadRequest(
                f"{name}: {left} bytes are left after the JSON, binary_data_size is {quoted(size)}"
            )
        raw = self._rest[self.taken : self.taken + size]
        self.taken += size
        if datatype == BYTES:
            return _texts(raw, rows, name)
        dtype = np.dtype(DTYPES[datatype]).newbyteorder("<")
        if size != rows * dtype.itemsize:
            raise BadRequest(
                f"{name}: {datatype} of shape [{rows}] takes {rows * dtype.itemsize} bytes,"
                f" binary_data_size is {size}"
            )
        if dtype.kind == "b" and bytes(raw).strip(b"\0\1"):
            raise BadRequest(f"{name}: a byte of a BOOL tensor is neither 0 nor 1")
        cells: list[Any] = np.frombuffer(raw, dtype).tolist()
        return cells


def _from_json(data: simdjson.Array, rows: int, name: str) -> Cells:
    """The values of a flat array, or of one of shape (N, 1)."""
    if len(data) != rows:
        raise BadRequest(f"{name}: expected {rows} values in data, got {len(data)}")
    return [
        cell[0] if isinstance(cell, simdjson.Array) and len(cell) == 1 else cell for cell in data
    ]


def _texts(raw: memoryview, rows: int, name: str) -> Cells:
    """Texts that are each preceded by their length."""
    texts: list[str] = []
    at = 0
    while at < len(raw) and len(texts) < rows:
        begin = at + LENGTH_BYTES
        at = begin + int.from_bytes(raw[at:begin], "little")
        if at > len(raw):
            break
        try:
            texts.append(str(raw[begin:at], "utf-8"))
        except UnicodeDecodeError:
            raise BadRequest(f"{name}[{len(texts)}]: expected UTF-8") from None
    if at != len(raw) or len(texts) != rows:
        raise BadRequest(f"{name}: expected {rows} texts, each after its length in four bytes")
    return texts
