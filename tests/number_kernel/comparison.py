"""The same document with the kernel and without it: what comes of it must be the same."""

import dataclasses
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from serve.errors import ServeError
from serve.protocols.interface import DecodedRequest
from serve.protocols.reading import json_document
from tests.number_kernel.documents import MAX_ROWS, Document

Outcome = tuple[Any, ...]


def outcome(read: Callable[[], DecodedRequest]) -> Outcome:
    """All that a server makes of a request, down to the bits; or what it is refused with."""
    try:
        request = read()
    except ServeError as error:
        return type(error), error.status, str(error)
    fields = {one.name: getattr(request, one.name) for one in dataclasses.fields(request)}
    inputs = fields.pop("inputs")
    arrays = [
        (name, array.dtype, array.shape, array.flags.c_contiguous, array.tobytes())
        for name, array in inputs.items()
    ]
    assert all(isinstance(array, np.ndarray) for array in inputs.values())
    return type(request), fields, arrays


def without_kernel(
    body: bytes, model_spec: Any, max_rows: int, read_arrays: Any, flat: bool = False
) -> Any:
    """As ``json_document.read`` where there is no kernel."""
    return read_arrays(json_document.arrays_of(body, model_spec), model_spec, max_rows)


def check(document: Document) -> bool:
    """Compare; returns whether the kernel took the numbers.

    Raises:
        AssertionError: there is a difference; it names the document.

    """
    taken: list[bool] = []
    read_extracted = json_document._read_extracted

    def noted(*arguments: Any) -> Any:
        request = read_extracted(*arguments)
        taken.append(True)
        return request

    def parse() -> Outcome:
        return outcome(
            lambda: document.protocol.parse(
                document.body, document.headers, document.model_spec, MAX_ROWS
            )
        )

    with mock.patch.object(json_document, "_read_extracted", noted):
        found = [parse()]
        if taken:  # what has been read once is remembered
            found.append(parse())
    with mock.patch.object(json_document, "read", without_kernel):
        expected = parse()
    for one in found:
        assert one == expected, f"{document}\n with: {one}\n without: {expected}"
    return bool(taken)
