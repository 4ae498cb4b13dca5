"""Requests of each dialect that the server speaks, and the classes that its answers tell.

Written down in ``docs/protocols.md``; each dialect is one more entry of ``DIALECTS``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""Shape (rows, 784)."""
_HEAD_END = b"}]}"  # of the outputs, which come last
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Model:
    """What a request has to name."""

    name: str = "mnist"
    input: str = "image"
    datatype: str = "FP32"
    """Of the input, as the Open Inference Protocol calls it."""


@dataclass(frozen=True)
class Request:
    """What is sent, by POST."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


@dataclass(frozen=True)
class Dialect:
    """One way to ask."""

    request: Callable[[Images, Model], Request]
    classes: Callable[[bytes, int], list[int]]
    """Of an answer's body and its rows, the class of each row.

    Raises ValueError, KeyError, TypeError or IndexError where the body is no such answer.
    """


def compact(document: object) -> bytes:
    """JSON without spaces."""
    return orjson.dumps(document)


def _predict(images: Images, model: Model) -> Request:
    return Request("/predict", compact({"images": images.tolist()}))


def _oip(images: Images, model: Model) -> Request:
    tensor = _tensor(images, model.input, model.datatype) | {"data": images.tolist()}
    return Request(_infer(model), compact({"inputs": [tensor]}))


def _oip_bytes(images: Images, model: Model) -> Request:
    """With UINT8 bytes, which a model of any input type takes, and bytes wanted back."""
    data = images.tobytes()
    tensor = _tensor(images, model.input, "UINT8")
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = compact({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    return Request(_infer(model), head + data, headers)


def _tensor(images: Images, name: str, datatype: str) -> dict[str, object]:
    return {"name": name, "shape": list(images.shape), "datatype": datatype}


def _infer(model: Model) -> str:
    return f"/v2/models/{model.name}/infer"


def _tfserving(images: Images, model: Model) -> Request:
    body = compact({"instances": images.tolist()})
    return Request(f"/v1/models/{model.name}:predict", body)


def _mlflow(images: Images, model: Model) -> Request:
    return Request("/invocations", compact({"inputs": images.tolist()}))


def _largest(values: object, rows: int) -> list[int]:
    classes: list[int] = np.reshape(values, (rows, -1)).argmax(1).tolist()  # type: ignore[call-overload]
    return classes


def _of_predictions(body: bytes, rows: int) -> list[int]:
    return _largest(orjson.loads(body)["predictions"], rows)


def _of_bytes(body: bytes, rows: int) -> list[int]:
    """Of the one FP32 output, whose bytes follow the JSON."""
    return _largest(np.frombuffer(body, "<f4", offset=body.index(_HEAD_END) + len(_HEAD_END)), rows)


DIALECTS: Mapping[str, Dialect] = {
    "predict": Dialect(_predict, lambda body, rows: orjson.loads(body)["predictions"]),
    "oip": Dialect(
        _oip, lambda body, rows: _largest(orjson.loads(body)["outputs"][0]["data"], rows)
    ),
    "oip-bytes": Dialect(_oip_bytes, _of_bytes),
    "tfserving": Dialect(
        _tfserving, lambda body, rows: _largest(orjson.loads(body)["predictions"], rows)
    ),
    "mlflow": Dialect(
        _mlflow, lambda body, rows: _largest(orjson.loads(body)["predictions"], rows)
    ),
}
