"""The members of objects in documents of the Open Inference Protocol."""

from typing import Any

import simdjson

from serve.errors import BadRequest
from serve.protocols.reading import json_arrays


def member(element: Any, key: str, kind: type, where: str) -> Any:
    """A member of an object that must be there, and of this kind.

    Raises:
        BadRequest: it is missing, or of another kind.

    """
    if not isinstance(element, simdjson.Object):
        raise BadRequest(f"{where}: expected an object, got {json_arrays.kind(element)}")
    try:
        value = element[key]
    except KeyError:
        raise BadRequest(f"{where}: {key} is missing") from None
    if not isinstance(value, kind):
        expected = "a string" if kind is str else "an array"
        raise BadRequest(f"{where}: {key}: expected {expected}, got {json_arrays.kind(value)}")
    return value


def parameter(element: Any, name: str, where: str) -> Any:
    """One of the parameters of a request or a tensor; None where it has none, or not this one.

    Raises:
        BadRequest: the parameters are no object.

    """
    if "parameters" not in json_arrays.keys(element):
        return None
    parameters = element["parameters"]
    if not isinstance(parameters, simdjson.Object):
        kind = json_arrays.kind(parameters)
        raise BadRequest(f"{where}: parameters: expected an object, got {kind}")
    return json_arrays.member(parameters, name)
