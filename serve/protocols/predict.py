"""This project's own protocol: ``POST /predict``.

``{"image": [784 numbers]}`` or ``{"images": [[…], …]}``; an image is flat or square (28x28),
and ``{"b64": …, "dtype": …, "shape": …}`` may stand wherever an array of numbers may.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import simdjson
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, Unsupported
from serve.models.spec import ModelSpec
from serve.protocols import tensors
from serve.protocols.interface import DecodedRequest, Tensors, error_body
from serve.protocols.reading import json_arrays, json_document
from serve.protocols.reading.json_arrays import Arrays, Shape
from serve.protocols.response import Response

_KEYS = frozenset(("image", "images"))

refuse = error_body


@dataclass(slots=True)
class Images(DecodedRequest):
    """What was asked, and whether its one row came as ``image``."""

    single: bool = False


def parse(body: bytes, headers: Mapping[str, str], model_spec: ModelSpec, max_rows: int) -> Images:
    """Make a valid batch of the bytes of a request; see ``InferenceProtocol.parse``.

    Raises:
        Unsupported: the model's tensors are not an image and the probabilities of classes.
        BadRequest: not JSON, a missing key, a wrong shape, a value that is no number or out of
            range; the message says where, and what was expected.
        TooLarge: more than ``max_rows`` images.

    """
    return json_document.read(body, model_spec, max_rows, _read)


def _read(arrays: Arrays, model_spec: ModelSpec, max_rows: int) -> Images:
    spec = _input(model_spec)
    document = json_arrays.parse(arrays.body)
    if not isinstance(document, simdjson.Object):
        raise BadRequest(
            f'expected {{"image": …}} or {{"images": …}}, got {json_arrays.kind(document)}'
        )
    keys = _KEYS.intersection(document)  # to ask for a key that is not there is slow
    if len(keys) != 1:
        what = "both" if keys else "neither"
        raise BadRequest(f'expected either "image" or "images", got {what}')
    single = "image" in keys
    if single:
        tensors.check_rows(1, max_rows, model_spec)
        rows = _image(arrays, document["image"], spec, "image")[np.newaxis]
    else:
        rows = _images(arrays, document["images"], model_spec, max_rows)
    arrays.check()
    return Images({spec.name: arrays.cast(rows, spec)}, len(rows), single=single)


def render(request: DecodedRequest, outputs: Tensors, model_spec: ModelSpec) -> Response:
    """Answer ``request`` with the model's first output, of shape (N, classes)."""
    scores = outputs[model_spec.outputs[0].name]
    classes = scores.argmax(axis=1)
    response: dict[str, Any]
    if isinstance(request, Images) and request.single:
        response = {"prediction": int(classes[0]), "probabilities": scores}
        if model_spec.classes:
            response["label"] = model_spec.classes[classes[0]]
    else:
        response = {"predictions": classes, "probabilities": scores}
        if model_spec.classes:
            response["labels"] = [model_spec.classes[number] for number in classes.tolist()]
        response |= {"model": model_spec.name, "version": model_spec.version}
    return Response(200, orjson.dumps(response, option=orjson.OPT_SERIALIZE_NUMPY))


def _input(model_spec: ModelSpec) -> TensorSpec:
    spec, *others = model_spec.inputs
    if others or min(spec.shape[1:], default=0) < 1 or spec.dtype == "bool":
        why = "its inputs are not one tensor of shape (N, features)"
    elif len(model_spec.outputs[0].shape) != 2:
        why = "its first output is not of shape (N, classes)"
    else:
        return spec
    raise Unsupported(f"/predict can't speak for {model_spec.name}: {why}; the other routes can")


def _images(arrays: Arrays, element: Any, model_spec: ModelSpec, max_rows: int) -> NDArray[Any]:
    spec = model_spec.inputs[0]
    shape = spec.shape[1:]
    if isinstance(element, simdjson.Object):
        rows = json_arrays.compact(element, "images")
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
        return np.stack([_image(arrays, image, spec, f"images[{i}]") for i, image in images])
    return rows.reshape(len(rows), *shape)


def _image(arrays: Arrays, element: Any, spec: TensorSpec, where: str) -> NDArray[Any]:
    shape = spec.shape[1:]
    if not isinstance(element, simdjson.Object):
        return arrays.take(element, _form(element, shape), where, spec.dtype).reshape(shape)
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
