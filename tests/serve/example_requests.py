"""Requests in every protocol, valid ones and refused ones."""

import gzip
import json
from typing import Any

from tests.conftest import Digits

REFUSALS = {
    "bad JSON": ("POST", "/predict", b"{", 400, "not JSON"),
    "no body": ("POST", "/predict", None, 400, "not JSON: EMPTY"),
    "wrong shape": ("POST", "/predict", b'{"image": [1, 2]}', 400, "784 numbers, got an array"),
    "ragged": (
        "POST",
        "/predict",
        json.dumps({"images": [[0] * 784, [0] * 783]}).encode(),
        400,
        "images[1]: expected an array of 784 numbers, got an array of 783",
    ),
    "not finite": ("POST", "/predict", b'{"image": [Infinity]}', 400, "not JSON"),
    "empty batch": ("POST", "/predict", b'{"images": []}', 400, "at least one row"),
    "too many rows": (
        "POST",
        "/predict",
        json.dumps({"images": [[0] * 784] * 1025}).encode(),
        413,
        "at most 1024 rows in one request, got 1025",
    ),
    "unknown path": ("GET", "/nowhere", None, 404, "GET /nowhere: Not Found"),
    "wrong method": ("GET", "/predict", None, 405, "GET /predict: Method Not Allowed"),
}


def inference_requests(digits: Digits) -> list[tuple[str, Any, dict[str, str]]]:
    """Path, body and headers of valid requests in every protocol, and of bad ones."""
    rows = digits.images[:5].tolist()
    tensor = {"name": "image", "shape": [5, 784], "datatype": "FP32", "data": rows}
    head = {"name": "image", "shape": [5, 784], "datatype": "UINT8"}
    described = json.dumps(
        {"inputs": [head | {"parameters": {"binary_data_size": 5 * 784}}]}
        | {"parameters": {"binary_data_output": True}}
    ).encode()
    length = {"Inference-Header-Content-Length": str(len(described))}
    body = described + digits.images[:5].tobytes()
    return [
        ("/predict", {"image": rows[0]}, {}),
        ("/predict?model=mnist&version=1", {"images": rows}, {}),
        ("/predict?model=cats", {"images": rows}, {}),
        ("/predict?version=stable", {"images": rows}, {}),
        ("/predict", gzip.compress(json.dumps({"images": rows}).encode()), {}),
        ("/predict", gzip.compress(b"{}"), {"Content-Encoding": "gzip"}),
        ("/predict", {"images": rows}, {"Content-Encoding": "br"}),
        ("/predict", {"images": rows * 200}, {"Accept-Encoding": "gzip"}),
        ("/v2/models/mnist/infer", {"inputs": [tensor], "id": "7"}, {}),
        ("/v2/models/mnist/versions/1/infer", body, length),
        ("/v2/models/mnist/versions/1/infer", body[:-1], length),
        ("/v2/models/mnist/versions/9/infer", body, length),
        ("/v2/models/cats/infer", body, length),
        ("/v1/models/mnist:predict", {"instances": rows}, {}),
        ("/v1/models/mnist/versions/1:predict", {"inputs": {"image": rows}}, {}),
        ("/v1/models/mnist/labels/none:predict", {"inputs": {"image": rows}}, {}),
        ("/v1/models/mnist:predict", {"inputs": {"image": 3}}, {}),
        ("/invocations", {"inputs": rows}, {}),
        ("/invocations", {"input": rows}, {}),
        ("/invocations?model=cats", {"inputs": rows}, {}),
        ("/invocations", {"inputs": rows}, {"Content-Type": "text/plain"}),
    ]
