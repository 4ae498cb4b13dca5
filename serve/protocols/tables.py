"""Tensors in JSON documents that hold them in rows or in columns, as several dialects do."""

from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve import tensors
from serve.errors import BadRequest
from serve.protocols import json_arrays
from serve.protocols.dialect import Tensors
from serve.protocols.json_arrays import Arrays
from serve.signature import Signature


def in_rows(outputs: Tensors) -> Any:
    """One output: itself. Several: an object for each row, of output names to values."""
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    # orjson does not know every kind of numpy's scalars; those of float32 keep their few digits.
    rows = [array.tolist() if array.dtype.kind in "iub" else array for array in outputs.values()]
    return [dict(zip(outputs, row, strict=True)) for row in zip(*rows, strict=True)]


def in_columns(outputs: Tensors) -> Any:
    """One output: itself. Several: an object of output names to arrays."""
    return next(iter(outputs.values())) if len(outputs) == 1 else outputs


class Reader:
    """Takes the inputs of a model out of one JSON document."""

    def __init__(self, body: bytes, signature: Signature, max_rows: int) -> None:
        self._arrays = Arrays(body)
        self._signature = signature
        self._most = max_rows
        self._elsewhere = 0

    def rows(self, element: Any, where: str) -> Tensors:
        """Take rows: a value each, or an object each of input names to values.

        Raises:
            BadRequest: they are neither, or not what the inputs take.
            TooLarge: there are too many.

        """
        if not isinstance(element, simdjson.Array):
            raise BadRequest(f"{where}: expected an array, got {json_arrays.kind(element)}")
        tensors.check_rows(len(element), self._most, self._signature)
        if not isinstance(element[0], simdjson.Object):
            return self._only(element, where)
        self._elsewhere = 1
        rows = list(element)
        for index, row in enumerate(rows):
            if not isinstance(row, simdjson.Object):
                kind = json_arrays.kind(row)
                raise BadRequest(f"{where}[{index}]: expected an object like the first, got {kind}")
            tensors.check_names(set(row.keys()), self._signature)
        return {
            spec.name: tensors.cast(self._stack(rows, spec, where), spec)
            for spec in self._signature.inputs
        }

    def columns(self, element: Any, where: str) -> Tensors:
        """Take columns: an array, or an object of input names to arrays.

        Raises:
            BadRequest: they are neither, or not what the inputs take.
            TooLarge: there are too many rows.

        """
        if not isinstance(element, simdjson.Object):
            return self._only(element, where)
        tensors.check_names(set(element.keys()), self._signature)
        return {
            spec.name: self._column(element[spec.name], spec, f"{where}.{spec.name}")
            for spec in self._signature.inputs
        }

    def finish(self, inputs: Tensors, elsewhere: int = 0) -> int:
        """How many rows there are, in every input as many, and no array where a number should be.

        Args:
            inputs: that were taken.
            elsewhere: other arrays that the document has.

        """
        self._arrays.check(self._elsewhere + elsewhere)
        return tensors.check_equal_rows(inputs)

    def _only(self, element: Any, where: str) -> Tensors:
        spec, *others = self._signature.inputs
        if others:
            names = ", ".join(spec.name for spec in self._signature.inputs)
            raise BadRequest(f"{where}: expected objects with the inputs {names}")
        return {spec.name: self._column(element, spec, where)}

    def _column(self, element: Any, spec: TensorSpec, where: str) -> NDArray[Any]:
        if isinstance(element, simdjson.Array):
            tensors.check_rows(len(element), self._most, self._signature)
        shape = json_arrays.shape_of(element, spec.shape)
        return tensors.cast(self._arrays.take(element, shape, where, spec.dtype), spec)

    def _stack(self, rows: list[simdjson.Object], spec: TensorSpec, where: str) -> NDArray[Any]:
        """One input of all rows; a single value has no array around it in JSON."""
        shape = json_arrays.shape_of(rows[0][spec.name], spec.shape[1:])
        if not shape:
            return self._scalars(rows, spec, where)
        places = (f"{where}[{index}].{spec.name}" for index in range(len(rows)))
        taken = zip(rows, places, strict=True)
        return np.stack(
            [self._arrays.take(row[spec.name], shape, place, spec.dtype) for row, place in taken]
        )

    def _scalars(self, rows: list[simdjson.Object], spec: TensorSpec, where: str) -> NDArray[Any]:
        values = [row[spec.name] for row in rows]
        for index, value in enumerate(values):
            json_arrays.check_values(value, (), f"{where}[{index}].{spec.name}", spec.dtype)
        return np.array(values)
