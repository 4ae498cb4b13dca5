"""Images in a JSON document: flat, as a square, or as base64."""

import math
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest
from serve.models.spec import ModelSpec
from serve.protocols import tensors
from serve.protocols.reading import compact_array, json_arrays
from serve.protocols.reading.json_arrays import Arrays, Shape


def take_all(arrays: Arrays, element: Any, model_spec: ModelSpec, max_rows: int) -> NDArray[Any]:
    """Take a batch, shape (N, …), in any form.

    Raises:
        BadRequest: it has another shape, or something else than numbers.
        TooLarge: there are more than ``max_rows`` images.

    """
    spec = model_spec.inputs[0]
    shape = spec.shape[1:]
    if isinstance(element, simdjson.Object):
        rows = compact_array.decode(element, "images")
        if rows.shape[1:] not in _forms(shape):
            raise _wrong_shape("images", ("N", *shape), rows.shape)
        tensors.check_rows(len(rows), max_rows, model_spec)
        return rows.reshape(len(rows), *shape)
    if not isinstance(element, simdjson.Array):
        raise BadRequest(f"images: expected an array of images, got {json_arrays.kind(element)}")
    tensors.check_rows(len(element), max_rows, model_spec)
    form = _form(element[0], shape)
    try:
        rows = arrays.take(element, (len(element), *form), "images", spec.dtype)
    except BadRequest:  # some may be compact: not asked before, for it takes time and is rare
        if not any(isinstance(image, simdjson.Object) for image in element):
            raise
        images = enumerate(element)
        return np.stack([take(arrays, image, spec, f"images[{i}]") for i, image in images])
    return rows.reshape(len(rows), *shape)


def take(arrays: Arrays, element: Any, spec: TensorSpec, where: str) -> NDArray[Any]:
    """Take one image, without the batch dimension.

    Raises:
        BadRequest: it has another shape, or something else than numbers.

    """
    shape = spec.shape[1:]
    if not isinstance(element, simdjson.Object):
        return arrays.take(element, _form(element, shape), where, spec.dtype).reshape(shape)
    image = compact_array.decode(element, where)
    if image.shape not in _forms(shape):
        raise _wrong_shape(where, shape, image.shape)
    return image.reshape(shape)


def _form(image: Any, shape: Shape) -> Shape:
    """In which form an image seems to come: as the model takes it, or as a square."""
    nested = (
        isinstance(image, simdjson.Array) and len(image) and isinstance(image[0], simdjson.Array)
    )
    return _forms(shape)[-1] if nested else shape


def _forms(shape: Shape) -> tuple[Shape, ...]:
    """The shapes in which one image may come: (784,) also as (28, 28)."""
    side = math.isqrt(shape[0])
    return (shape, (side, side)) if len(shape) == 1 and side * side == shape[0] else (shape,)


def _wrong_shape(where: str, expected: tuple[Any, ...], got: Shape) -> BadRequest:
    sizes = ", ".join(map(str, expected))
    return BadRequest(f"{where}: expected shape [{sizes}], got {list(got)}")
