"""Tensors in JSON documents, in rows or columns, for several protocols."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, Unsupported
from serve.models.spec import ModelSpec
from serve.protocols import tensors
from serve.protocols.interface import Tensors
from serve.protocols.reading import json_arrays
from serve.protocols.reading.json_arrays import Arrays
from serve.protocols.reading.table_rows import RowsReader


def in_rows(outputs: Tensors, count: int) -> Any:
    """One output: itself. Several: an object for each row, of output names to values.

    Raises:
        Unsupported: an output has no value for each of ``count`` rows.

    """
    for name, array in outputs.items():
        if array.shape[:1] != (count,):
            raise Unsupported(f"output {name} has no rows: ask for columns, with inputs")
    if len(outputs) == 1:
        return in_columns(outputs)
    # orjson does not know every kind of numpy's scalars; those of float32 keep their few digits.
    rows = [array.tolist() if array.dtype.kind in "iubO" else array for array in outputs.values()]
    return [dict(zip(outputs, row, strict=True)) for row in zip(*rows, strict=True)]


def in_columns(outputs: Tensors) -> Any:
    """One output: itself. Several: an object of output names to arrays."""
    # orjson takes no array without a dimension, and none of texts.
    columns = {
        name: array if array.ndim and array.dtype.kind != "O" else array.tolist()
        for name, array in outputs.items()
    }
    return next(iter(columns.values())) if len(columns) == 1 else columns


class TableReader:
    """Takes the inputs of a model out of one JSON document."""

    def __init__(self, arrays: Arrays, model_spec: ModelSpec, max_rows: int) -> None:
        self._arrays = arrays
        self._signature = model_spec
        self._most = max_rows
        self._elsewhere = 0
        table = model_spec.table
        self.table = RowsReader(arrays, table, model_spec, max_rows) if table else None
        """Reads rows and columns by the names of features, if the model has some."""

    def rows(self, element: Any, where: str) -> Tensors:
        """Take rows: a value each, or an object each of the names of inputs or columns to values.

        Raises:
            BadRequest: they are neither, or not what the inputs take.
            TooLarge: there are too many.

        """
        if not isinstance(element, simdjson.Array):
            raise BadRequest(f"{where}: expected an array, got {json_arrays.kind(element)}")
        tensors.check_rows(len(element), self._most, self._signature)
        if not isinstance(element[0], simdjson.Object):
            return self._only(element, where)
        if self.table and self.table.is_named_in(element[0]):
            return self.table.records(element, where)
        self._elsewhere = 1
        rows = list(element)
        for index, row in enumerate(rows):
            if not isinstance(row, simdjson.Object):
                kind = json_arrays.kind(row)
                raise BadRequest(f"{where}[{index}]: expected an object like the first, got {kind}")
            tensors.check_names(json_arrays.keys(row), self._signature)
        return self.cells({name: [row[name] for row in rows] for name in rows[0]}, where)

    def cells(self, cells: Mapping[str, list[Any]], where: str) -> Tensors:
        """Take, for each input, its value in every row.

        Raises:
            BadRequest: one is not what the input takes.

        """
        return {
            spec.name: self._arrays.cast(self._stack(cells[spec.name], spec, where), spec)
            for spec in self._signature.inputs
        }

    def columns(self, element: Any, where: str) -> Tensors:
        """Take columns: an array, or an object of the names of inputs or columns to arrays.

        Raises:
            BadRequest: they are neither, or not what the inputs take.
            TooLarge: there are too many rows.

        """
        if not isinstance(element, simdjson.Object):
            return self._only(element, where)
        if self.table and self.table.is_named_in(element):
            return self.table.columns(element, where)
        tensors.check_names(json_arrays.keys(element), self._signature)
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
        return self._arrays.cast(self._arrays.take(element, shape, where, spec.dtype), spec)

    def _stack(self, cells: list[Any], spec: TensorSpec, where: str) -> NDArray[Any]:
        places = [f"{where}[{index}].{spec.name}" for index in range(len(cells))]
        shape = spec.shape[1:]
        if not shape or (shape == (1,) and not isinstance(cells[0], simdjson.Array)):
            for value, place in zip(cells, places, strict=True):
                json_arrays.check_values(value, (), place, spec.dtype)
            return np.array(cells).reshape(len(cells), *shape)
        shape = json_arrays.shape_of(cells[0], shape)
        taken = zip(cells, places, strict=True)
        return np.stack([self._arrays.take(cell, shape, at, spec.dtype) for cell, at in taken])
