"""This project's own dialect: ``POST /predict``.

``{"image": [784 numbers]}`` or ``{"images": [[…], …]}``; an image is flat or square (28x28),
and ``{"b64": …, "dtype": …, "shape": …}`` may stand wherever an array of numbers may.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import simdjson
from numpy.typing import NDArray

from bundle.manifest import BATCH, TensorSpec
from serve import tensors
from serve.errors import BadRequest
from serve.protocols import json_arrays
from serve.protocols.json_arrays import Shape

_KEYS = frozenset(("image", "images"))


@dataclass(frozen=True)
class Request:
    """What was asked: a valid batch, and whether its one row came as ``image``."""

    batch: NDArray[Any]
    """Shape (N, features), of the model's dtype."""
    single: bool


def unsupported(inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> str | None:
    """Why this dialect can't speak for a model with these tensors, or None where it can."""
    if len(inputs) != 1 or min(inputs[0].shape[1:], default=0) < 1:
        return "its inputs are not one tensor of shape (N, features)"
    if inputs[0].shape[0] != BATCH:
        return f"its input takes batches of exactly {inputs[0].shape[0]}"
    if not inputs[0].dtype.startswith("float"):
        return f"its input is of {inputs[0].dtype}, not of floating point"
    if len(outputs[0].shape) != 2:
        return "its first output is not of shape (N, classes)"
    return None


def parse(body: bytes, spec: TensorSpec, max_rows: int) -> Request:
    """Make a valid batch for the input ``spec`` of the bytes of a request.

    Raises:
        BadRequest: not JSON, a missing key, a wrong shape, a value that is no number or out of
            range; the message says where, and what was expected.
        TooLarge: more than ``max_rows`` images.

    """
    document = json_arrays.parse(body)
    if not isinstance(document, simdjson.Object):
        raise BadRequest(
            f'expected {{"image": …}} or {{"images": …}}, got {json_arrays.kind(document)}'
        )
    keys = _KEYS.intersection(document)  # to ask for a key that is not there is slow
    if len(keys) != 1:
        what = "both" if keys else "neither"
        raise BadRequest(f'expected either "image" or "images", got {what}')
    brackets = json_arrays.count_brackets(body)
    single = "image" in keys
    if single:
        rows = _image(document["image"], spec.shape[1:], "image", brackets)[np.newaxis]
    else:
        rows = _images(document["images"], spec.shape[1:], max_rows, brackets)
    return Request(tensors.cast(rows, spec), single)


def render(request: Request, scores: NDArray[Any], model: str, version: int) -> bytes:
    """Answer ``request`` with the model's first output, of shape (N, classes)."""
    classes = scores.argmax(axis=1)
    answer: dict[str, Any]
    if request.single:
        answer = {"prediction": int(classes[0]), "probabilities": scores}
    else:
        answer = {
            "predictions": classes,
            "probabilities": scores,
            "model": model,
            "version": version,
        }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _images(element: Any, shape: Shape, max_rows: int, brackets: int) -> NDArray[Any]:
    if isinstance(element, simdjson.Object):
        rows = json_arrays.compact(element, "images")
        if rows.shape[1:] not in _forms(shape):
            raise _wrong_shape("images", ("N", *shape), rows.shape)
        tensors.check_rows(len(rows), max_rows)
        return rows.reshape(len(rows), *shape)
    if not isinstance(element, simdjson.Array):
        raise BadRequest(f"images: expected an array of images, got {json_arrays.kind(element)}")
    tensors.check_rows(len(element), max_rows)
    form = _form(element[0], shape)
    try:
        rows = json_arrays.array(element, (len(element), *form), "images", brackets)
    except BadRequest:  # some may be compact: not asked before, for it takes time and is rare
        if not any(isinstance(image, simdjson.Object) for image in element):
            raise
        images = enumerate(element)
        return np.stack([_image(image, shape, f"images[{i}]", brackets) for i, image in images])
    return rows.reshape(len(rows), *shape)


def _image(element: Any, shape: Shape, where: str, brackets: int) -> NDArray[Any]:
    if not isinstance(element, simdjson.Object):
        return json_arrays.array(element, _form(element, shape), where, brackets).reshape(shape)
    image = json_arrays.compact(element, where)
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
