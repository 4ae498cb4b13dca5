"""Requests of each protocol that the server speaks, and the outputs in its answers.

``docs/protocols.md`` describes the protocols. Requests are made for any model of one or more inputs
and outputs, except ``/predict``, which is for one input and one output of scores.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bundle.features import UNKNOWN, Feature

Tensors = Mapping[str, NDArray[Any]]
_HEADER_END = b"}]}"  # of an answer in binary: the outputs come last
JSON = {"Content-Type": "application/json"}
DTYPES = {"BOOL": "?"} | {
    f"{kind}{8 * size}": f"<{kind[0].lower()}{size}"
    for kind, sizes in (("FP", (2, 4, 8)), ("INT", (1, 2, 4, 8)), ("UINT", (1, 2, 4, 8)))
    for size in sizes
}
"""Of numpy, by datatype of the Open Inference Protocol."""
_PIXELS = np.iinfo(np.uint8)


@dataclass(frozen=True)
class Model:
    """What a request has to name, and an answer to bring."""

    name: str
    inputs: Mapping[str, str]
    """Datatypes of the Open Inference Protocol by name, such as FP32."""
    outputs: Sequence[str]
    """Names, in the order of the model."""
    features: Sequence[Feature] = ()
    """What the columns of the input stand for, of a table."""
    is_regression: bool = False


@dataclass(frozen=True)
class Request:
    """What is sent, by POST."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


@dataclass(frozen=True)
class Protocol:
    """One way to ask for inference."""

    request: Callable[[Tensors, Model], Request]
    outputs: Callable[[bytes, Model], list[Any]]
    """Values of each output, nested or flat, in the order of the model's outputs.

    Raises ValueError, KeyError, TypeError or IndexError if the body is no such answer.
    """


def _json(document: object) -> bytes:
    """JSON without spaces."""
    return orjson.dumps(document)


def _numbers(array: NDArray[Any]) -> list[Any]:
    """For JSON: whole numbers without a fraction, as clients write pixels."""
    numbers: list[Any] = (array.astype(np.int64) if _whole(array) else array).tolist()
    return numbers


def _whole(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "f" and bool((array == array.round()).all())


def _single(tensors: Tensors) -> NDArray[Any]:
    (array,) = tensors.values()
    return array


def _predict(inputs: Tensors, model: Model) -> Request:
    """A table in rows by the names of its features, else images."""
    array = _single(inputs)
    if not model.features:
        return Request("/predict", _json({"images": _numbers(array)}))
    rows = [
        {one.name: _cell(value, one) for one, value in zip(model.features, row, strict=True)}
        for row in array
    ]
    return Request("/predict", _json({"rows": rows}))


def _cell(value: np.float32, feature: Feature) -> Any:
    """What stands for a value in a row, as a client would write it."""
    if np.isnan(value):
        return None
    if feature.kind == "boolean":
        return bool(value)
    if feature.kind == "category":
        return feature.values[int(value)] if value != UNKNOWN else "?"
    return float(str(value))  # with as few digits as tell it apart


def _infer(model: Model) -> str:
    return f"/v2/models/{model.name}/infer"


def _oip(inputs: Tensors, model: Model) -> Request:
    tensors = [
        _tensor(name, array, model.inputs[name]) | {"data": _numbers(array)}
        for name, array in inputs.items()
    ]
    return Request(_infer(model), _json({"inputs": tensors}))


def _oip_binary(inputs: Tensors, model: Model) -> Request:
    """With binary inputs and outputs; pixels as UINT8, which a model of any input type takes."""
    tensors, parts = [], []
    for name, array in inputs.items():
        pixels = _whole(array) and array.min() >= _PIXELS.min and array.max() <= _PIXELS.max
        datatype = "UINT8" if pixels else model.inputs[name]
        data = array.astype(DTYPES[datatype]).tobytes()
        tensors.append(
            _tensor(name, array, datatype) | {"parameters": {"binary_data_size": len(data)}}
        )
        parts.append(data)
    head = _json({"inputs": tensors, "parameters": {"binary_data_output": True}})
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    return Request(_infer(model), head + b"".join(parts), headers)


def _tensor(name: str, array: NDArray[Any], datatype: str) -> dict[str, object]:
    return {"name": name, "shape": list(array.shape), "datatype": datatype}


def _tfserving(inputs: Tensors, model: Model) -> Request:
    """In rows where there is one input, else in columns."""
    columns = {name: _numbers(array) for name, array in inputs.items()}
    rows = len(inputs) == 1 == len(model.outputs)
    document = {"instances": next(iter(columns.values()))} if rows else {"inputs": columns}
    return Request(f"/v1/models/{model.name}:predict", _json(document))


def _mlflow(inputs: Tensors, model: Model) -> Request:
    columns = {name: _numbers(array) for name, array in inputs.items()}
    document = columns if len(columns) > 1 else next(iter(columns.values()))
    return Request("/invocations", _json({"inputs": document}))


def _by_name(answer: Any, model: Model) -> list[Any]:
    """Of an object of output names, or of the only output by itself."""
    return [answer] if len(model.outputs) == 1 else [answer[name] for name in model.outputs]


def _of_tfserving(body: bytes, model: Model) -> list[Any]:
    document = orjson.loads(body)
    key = "predictions" if "predictions" in document else "outputs"
    return _by_name(document[key], model)


def _of_oip(body: bytes, model: Model) -> list[Any]:
    found = {one["name"]: one["data"] for one in orjson.loads(body)["outputs"]}
    return [found[name] for name in model.outputs]


def _of_oip_binary(body: bytes, model: Model) -> list[Any]:
    """The bytes of all outputs follow the JSON, in its order."""
    offset = body.index(_HEADER_END) + len(_HEADER_END)
    found = {}
    for one in orjson.loads(body[:offset])["outputs"]:
        size = one["parameters"]["binary_data_size"]
        data = body[offset : offset + size]
        found[one["name"]] = np.frombuffer(data, DTYPES[one["datatype"]])
        offset += size
    return [found[name] for name in model.outputs]


def _of_predict(body: bytes, model: Model) -> list[Any]:
    """The probabilities of classes, or the values of a regression."""
    return [orjson.loads(body)["predictions" if model.is_regression else "probabilities"]]


PROTOCOLS: Mapping[str, Protocol] = {
    "predict": Protocol(_predict, _of_predict),
    "oip": Protocol(_oip, _of_oip),
    "oip-binary": Protocol(_oip_binary, _of_oip_binary),
    "tfserving": Protocol(_tfserving, _of_tfserving),
    "mlflow": Protocol(
        _mlflow, lambda body, model: _by_name(orjson.loads(body)["predictions"], model)
    ),
}


def check_supported(protocol: str, inputs: Tensors, outputs: Tensors) -> str | None:
    """Why a protocol has no form for a model; None if it has one."""
    shapes = [array.ndim for array in (*inputs.values(), *outputs.values())]
    if protocol == "predict" and (len(shapes) != 2 or min(shapes) < 2):
        return "predict is for models of one input and one output, both of rows; use oip"
    return None
