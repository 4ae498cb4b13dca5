"""Rows and columns of a table in a JSON document, by the names of its features."""

import contextlib
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from serve.errors import BadRequest
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec
from serve.protocols import tensors
from serve.protocols.interface import Tensors
from serve.protocols.reading import json_arrays, table_cells, table_names
from serve.protocols.reading.json_arrays import Arrays
from serve.protocols.reading.table_cells import Cells

Batch = NDArray[np.float32]

_FEW_BRACKETS = 1000


class RowsReader:
    """Takes the batch of a table out of one JSON document."""

    def __init__(
        self, arrays: Arrays, spec: TableSpec, model_spec: ModelSpec, max_rows: int
    ) -> None:
        self._arrays = arrays
        self._spec = spec
        self._model_spec = model_spec
        self._most = max_rows

    def records(self, element: Any, where: str) -> Tensors:
        """Take rows that are objects of names to values.

        Raises:
            BadRequest: they are not, or a feature does not accept a value.
            TooLarge: there are too many.

        """
        count = self._count(element, where)
        names = self._spec.names
        self._check_brackets(count * (len(names) + 1))
        values_of = itemgetter(*names) if len(names) > 1 else lambda record: (record[names[0]],)
        rows: list[Cells] = []
        for index, row in enumerate(element):
            if not isinstance(row, simdjson.Object) or len(row) != len(names):
                raise self._wrong_record(row, f"{where}[{index}]")
            try:
                rows.append(values_of(row.as_dict()))
            except KeyError:
                raise self._wrong_record(row, f"{where}[{index}]") from None
        return self._named(table_cells.from_rows(rows, self._spec, where + "[{row}].{name}"))

    def rows(self, element: Any, names: Sequence[str], where: str, elsewhere: int) -> Tensors:
        """Take rows that are arrays.

        Args:
            element: the rows.
            names: of their columns, all that the model has.
            where: their position in the document, for messages.
            elsewhere: number of other arrays in the document.

        Raises:
            BadRequest: they are not, or a feature does not accept a value.
            TooLarge: there are too many.

        """
        count = self._count(element, where)
        in_order = tuple(names) == self._spec.names
        if in_order and self._spec.has_only_numbers:
            with contextlib.suppress(BadRequest):  # said below, with the name of the feature
                return self._named(self._numbers(element, count, where, elsewhere))
        rows: list[Cells] = [
            self._cells(row, f"{where}[{index}]") for index, row in enumerate(element)
        ]
        if not in_order:
            positions = {name: position for position, name in enumerate(names)}
            values_of = itemgetter(*map(positions.__getitem__, self._spec.names))
            rows = list(map(values_of, rows))
        return self._named(table_cells.from_rows(rows, self._spec, where + "[{row}].{name}"))

    def columns(self, element: simdjson.Object, where: str) -> Tensors:
        """Take columns: an array of values for each name.

        Raises:
            BadRequest: they are not, or a feature does not accept a value.
            TooLarge: there are too many rows.

        """
        if len(element) != len(self._spec.names) or {*element} != {*self._spec.names}:
            raise self._wrong_record(element, where)
        members: dict[str, Any] = {name: element[name] for name in self._spec.names}
        counts = {name: self._count(member, f"{where}.{name}") for name, member in members.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise BadRequest(f"{where}: expected as many values in each column, but {told}")
        columns = [list(member) for member in members.values()]
        return self._named(table_cells.from_columns(columns, self._spec, where + ".{name}[{row}]"))

    def names(self, element: Any, where: str) -> Sequence[str]:
        """Take the names of columns: those of all features, in any order.

        Raises:
            BadRequest: they are not.

        """
        expected = len(self._spec.names)
        names = json_arrays.short_list(element, 2 * expected)
        if names is None or not all(isinstance(name, str) for name in names):
            got = json_arrays.kind(element)
            raise BadRequest(f"{where}: expected an array of {expected} names, got {got}")
        table_names.check(names, self._spec, where)
        return names

    def is_named_in(self, element: Any) -> bool:
        """Has an object or array the names of features, and not that of the input?"""
        return self._spec.is_named_in(element)

    def _named(self, batch: Batch) -> Tensors:
        return {self._spec.name: batch}

    def _numbers(self, element: Any, count: int, where: str, elsewhere: int) -> Batch:
        spec = self._spec
        taken = self._arrays.take(element, (count, len(spec.features)), where, spec.dtype)
        self._arrays.check(elsewhere)
        return self._arrays.cast(taken, spec)

    def _count(self, element: Any, where: str) -> int:
        if not isinstance(element, simdjson.Array):
            raise BadRequest(f"{where}: expected an array, got {json_arrays.kind(element)}")
        tensors.check_rows(len(element), self._most, self._model_spec)
        return len(element)

    def _cells(self, row: Any, where: str) -> list[Any]:
        expected = len(self._spec.names)
        if not isinstance(row, simdjson.Array) or len(row) != expected:
            got = json_arrays.kind(row)
            raise BadRequest(f"{where}: expected an array of {expected} values, got {got}")
        return list(row)

    def _wrong_record(self, row: Any, where: str) -> BadRequest:
        if not isinstance(row, simdjson.Object):
            return BadRequest(f"{where}: expected an object, got {json_arrays.kind(row)}")
        table_names.check_count(len(row), self._spec, where)
        return BadRequest(f"{where}: {table_names.difference(list(row), self._spec)}")

    def _check_brackets(self, most: int) -> None:
        """Refuse arrays and objects in many cells, before all are made Python's own objects.

        Fewer are found cell by cell. Texts may have brackets in them.
        """
        body = self._arrays.body
        if body.count(b"[") + body.count(b"{") > most + _FEW_BRACKETS:
            raise BadRequest("expected numbers, texts and truth values; got arrays or objects")
