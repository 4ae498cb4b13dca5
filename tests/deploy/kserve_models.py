"""What KServe's Python models say against manifests. Runs in the environment of the clients.

Reads a JSON list of manifests from standard input, and prints each fault: an unknown or missing
field, or a value of a wrong type.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import kserve.models
import kubernetes.client.models

KINDS = {"ServingRuntime": "V1alpha1ServingRuntime", "InferenceService": "V1beta1InferenceService"}
PRIMITIVES = {"str": str, "int": int, "bool": bool, "object": object}


def faults(value: Any, kind: str, path: str) -> Iterator[str]:
    """Compare a value with a type, as the models write it, such as ``list[V1Container]``."""
    if found := re.fullmatch(r"[Ll]ist\[(.*)\]", kind):
        for number, one in enumerate(value):
            yield from faults(one, found[1], f"{path}[{number}]")
    elif found := re.fullmatch(r"[Dd]ict[(\[]str, ?(.*)[)\]]", kind):
        for key, one in value.items():
            yield from faults(one, found[1], f"{path}.{key}")
    elif kind in PRIMITIVES:
        if not isinstance(value, PRIMITIVES[kind]):
            yield f"{path}: expected {kind}, got {value!r}"
    else:
        yield from of_model(value, model(kind), path)


def model(kind: str) -> Any:
    """The class of that name, of KServe or of Kubernetes."""
    return getattr(kserve.models, kind, None) or getattr(kubernetes.client.models, kind)


def of_model(value: dict[str, Any], kind: Any, path: str) -> Iterator[str]:
    attributes = {written: name for name, written in kind.attribute_map.items()}
    for key, one in value.items():
        if key in attributes:
            yield from faults(one, kind.openapi_types[attributes[key]], f"{path}.{key}")
        else:
            yield f"{path}: unknown field {key}"
    try:
        kind(**{attributes[key]: one for key, one in value.items() if key in attributes})
    except ValueError as error:  # a required field is missing
        yield f"{path}: {error}"


for manifest in json.load(sys.stdin):
    for fault in faults(manifest, KINDS[manifest["kind"]], manifest["kind"]):
        print(fault)
