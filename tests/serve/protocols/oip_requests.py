"""Requests in the Open Inference Protocol, and the models that they are for."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols import oip
from serve.protocols.open_inference import datatypes

IMAGE = TensorSpec(name="image", dtype="float32", shape=(-1, 4), range=(0, 255))


AGE = TensorSpec(name="age", dtype="int64", shape=(-1,))


SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 2))


CLASS = TensorSpec(name="class", dtype="int64", shape=(-1,))


ONE = ModelSpec("m", 3, (IMAGE,), (SCORES,))


TWO = ModelSpec("m", 3, (IMAGE, AGE), (SCORES, CLASS))


DTYPES = datatypes.DTYPES


def tensor(name: str, data: Any, datatype: str = "FP32", **more: Any) -> dict[str, Any]:
    shape = more.pop("shape") if "shape" in more else list(np.shape(data))
    return {"name": name, "shape": shape, "datatype": datatype, "data": data} | more


def binary(name: str, array: NDArray[Any], **more: Any) -> tuple[dict[str, Any], bytes]:
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    described = {
        "name": name,
        "shape": list(array.shape),
        "datatype": datatypes.DATATYPES[array.dtype.name],
        "parameters": {"binary_data_size": len(data)},
    }
    return described | more, data


def parse(
    *inputs: Any, rest: bytes = b"", model_spec: ModelSpec = ONE, max_rows: int = 4, **more: Any
) -> oip.InferRequest:
    head = json.dumps({"inputs": inputs} | more).encode()
    headers = {"INFERENCE_HEADER_CONTENT_LENGTH": str(len(head))} if rest else {}
    return oip.parse(head + rest, headers, model_spec, max_rows)
