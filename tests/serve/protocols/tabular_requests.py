"""Rows and columns in JSON, and the models that they are for."""

import json
from typing import Any

from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols.interface import DecodedRequest, InferenceProtocol

IMAGE = TensorSpec(name="image", dtype="float32", shape=(-1, 4), range=(0, 255))


AGE = TensorSpec(name="age", dtype="int64", shape=(-1,))


MEMBER = TensorSpec(name="member", dtype="bool", shape=(-1, 1))


SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 2))


CLASS = TensorSpec(name="class", dtype="int64", shape=(-1,))


ONE = ModelSpec("m", 3, (IMAGE,), (SCORES,))


THREE = ModelSpec("m", 3, (IMAGE, AGE, MEMBER), (SCORES, CLASS))


ROWS = [[0, 1, 2.5, 255], [4, 5, 6, 7], [8, 9, 10, 11]]


COLUMNS = {"image": ROWS[:2], "age": [2**53 + 1, -3], "member": [[True], [False]]}


NAMED_ROWS = [{name: COLUMNS[name][row] for name in COLUMNS} for row in range(2)]


def parse(
    protocol: InferenceProtocol, document: Any, model_spec: ModelSpec = ONE, **headers: str
) -> DecodedRequest:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return protocol.parse(body, headers, model_spec, 4)
