"""Requests for inference in every protocol, as clients send them and as nobody should."""

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.interface import InferenceProtocol
from serve.protocols.open_inference import datatypes

_IMAGE = TensorSpec(name="image", dtype="float32", shape=(-1, 4), range=(0, 255))
_SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 2))
SIGNATURES = [
    ModelSpec("m", 1, inputs, (_SCORES,))
    for inputs in (
        (_IMAGE,),
        (replace(_IMAGE, dtype="float64", range=None),),
        (replace(_IMAGE, dtype="uint8", shape=(-1, 2, 2)),),
        (replace(_IMAGE, dtype="int64", shape=(-1,), range=None),),
        (replace(_IMAGE, dtype="bool", shape=(-1, 4), range=None),),
        (replace(_IMAGE, shape=(-1, -1, 2)),),
        (_IMAGE, TensorSpec(name="age", dtype="int64", shape=(-1,))),
    )
]
MAX_ROWS = 8
LENGTH = oip.HEAD_LENGTH.upper().replace("-", "_")

_TOKENS = (
    *("NaN", "Infinity", "-Infinity", "-0", "-0.0", "1e400", "1e-400", "4.9e-324", "1E+2", "0.1"),
    *("18446744073709551615", "18446744073709551616", "9223372036854775807", "9223372036854775808"),
    *("-9223372036854775808", "-9223372036854775809", "9007199254740993", "16777217", "255.00001"),
    *("01", "1.", ".5", "+1", "0x10", "1_000", "1e", "--1", "2.0", "3.0e0", "255", "256", "-1"),
    *("null", "true", "false", "{}", "[]", "[[]]", '""', '"1"', '"\\ud800"', '"\\u0000"', "\xff"),
    *("1" * 400, "0." + "3" * 400, "[" * 10_000 + "]" * 10_000, '{"a":' * 2_000, "1000000000"),
    *('{"b64":"AAAA","dtype":"uint8","shape":[1,4]}', "/**/1", "1,", "[1,]", "\ufeff1", "\n1\t"),
)


@dataclass
class Document:
    """The body of a request, and the headers that say what it is."""

    protocol: InferenceProtocol
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def valid(random: Random, model_spec: ModelSpec) -> Document:
    """Make a document that is a proper request for a model."""
    rows = random.randint(1, 3)
    inputs = {spec.name: _array(random, spec, rows) for spec in model_spec.inputs}
    makers: list[Callable[..., Document]] = [_tfserving, _mlflow, _oip]
    spec, *others = model_spec.inputs
    if not others and -1 not in spec.shape[1:] and len(spec.shape) > 1 and spec.dtype != "bool":
        makers.append(_predict)
    return random.choice(makers)(random, inputs)


def mutated(random: Random, document: Document) -> Document:
    """Change up to three things in a document."""
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        random.choice([_token, _token, _token, _member, _bytes, _headers])(random, document)
    return document


def _array(random: Random, spec: TensorSpec, rows: int) -> Any:
    shape = [rows, *(random.randint(1, 4) if size == -1 else size for size in spec.shape[1:])]
    values = np.array([random.randint(0, 255) for _ in range(int(np.prod(shape)))])
    array = values.reshape(shape).astype(spec.dtype)
    if array.dtype.kind == "f" and random.random() < 0.5:
        array = array / array.dtype.type(random.choice([2, 3, 10]))
    return array


def _dumps(random: Random, document: Any) -> bytes:
    spaces = random.choice([None, (",", ":"), (" , ", "\t:\n")])
    return json.dumps(document, separators=spaces).encode()


def _predict(random: Random, inputs: dict[str, Any]) -> Document:
    array = next(iter(inputs.values()))
    if random.random() < 0.3:
        compact = {"dtype": array.dtype.name, "shape": array.shape}
        compact["b64"] = base64.b64encode(array.tobytes()).decode()
        return Document(predict, _dumps(random, {"images": compact}))
    if random.random() < 0.3:
        return Document(predict, _dumps(random, {"image": array[0].tolist()}))
    return Document(predict, _dumps(random, {"images": array.tolist()}))


def _tfserving(random: Random, inputs: dict[str, Any]) -> Document:
    return Document(tfserving, _dumps(random, _table(random, inputs)))


def _table(random: Random, inputs: dict[str, Any]) -> dict[str, Any]:
    named = len(inputs) > 1 or random.random() < 0.5
    columns = {name: array.tolist() for name, array in inputs.items()}
    (only, *_) = columns.values()
    if random.random() < 0.5:
        return {"inputs": columns if named else only}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {"instances": rows if named else only}


def _mlflow(random: Random, inputs: dict[str, Any]) -> Document:
    array = next(iter(inputs.values()))
    if random.random() < 0.3 or array.ndim > 2 or array.dtype == bool:
        return Document(mlflow, _dumps(random, _table(random, inputs)))
    flat = array.reshape(len(array), -1).tolist()
    columns = [f"c{index}" for index in range(len(flat[0]))]
    if array.ndim == 1 or len(inputs) > 1:
        columns = list(inputs)
        flat = [list(row) for row in zip(*(a.tolist() for a in inputs.values()), strict=True)]
    forms = ["dataframe_split", "dataframe_records"]
    form = random.choice([*forms, "csv"] if len(inputs) == 1 else forms)
    if form == "csv":
        lines = [",".join(columns), *(",".join(map(str, row)) for row in flat)]
        return Document(mlflow, "\n".join(lines).encode(), {"CONTENT_TYPE": "text/csv"})
    if form == "dataframe_split":
        return Document(mlflow, _dumps(random, {form: {"columns": columns, "data": flat}}))
    records = [dict(zip(columns, row, strict=True)) for row in flat]
    return Document(mlflow, _dumps(random, {form: records}))


def _oip(random: Random, inputs: dict[str, Any]) -> Document:
    described, parts = [], []
    for name, array in inputs.items():
        tensor: dict[str, Any] = {"name": name, "shape": array.shape}
        tensor["datatype"] = datatypes.DATATYPES[array.dtype.name]
        if random.random() < 0.4:
            parts.append(array.tobytes())
            tensor["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            nested = random.random() < 0.5
            tensor["data"] = array.tolist() if nested else array.ravel().tolist()
        described.append(tensor)
    document: dict[str, Any] = {"inputs": described}
    if random.random() < 0.3:
        document |= {"id": "x", "outputs": [{"name": "scores"}]}
    head = _dumps(random, document)
    headers = {LENGTH: str(len(head))} if parts else {}
    return Document(oip, b"".join((head, *parts)), headers)


def _token(random: Random, document: Document) -> None:
    """Put something in the place of a number or a text."""
    text = document.body.decode("latin-1")
    places = [index for index, char in enumerate(text[:2000]) if char in '0123456789"[']
    if places:
        begin = random.choice(places)
        end = begin + 1
        while end < len(text) and text[end] not in ",]}: \n":
            end += 1
        document.body = (text[:begin] + random.choice(_TOKENS) + text[end:]).encode("utf-8")


def _member(random: Random, document: Document) -> None:
    """Repeat or leave out what stands between two commas or brackets."""
    parts = document.body.split(b",")
    place = random.randrange(len(parts))
    parts[place : place + 1] = random.choice([[], [parts[place]] * 2, [random.choice(parts)]])
    document.body = b",".join(parts)


def _bytes(random: Random, document: Document) -> None:
    """Change, cut or add bytes."""
    body = bytearray(document.body or b" ")
    place = random.randrange(len(body))
    match random.randrange(4):
        case 0:
            body[place] ^= 1 << random.randrange(8)
        case 1:
            del body[place:]
        case 2:
            body[place:place] = random.randbytes(random.randint(1, 8))
        case 3:
            body[place:place] = body[random.randrange(len(body)) :]
    document.body = bytes(body)


def _headers(random: Random, document: Document) -> None:
    """Say something else of the body than it is."""
    match random.randrange(3):
        case 0:
            length = random.choice(["0", "1", "-1", "x", "9" * 30, str(len(document.body) + 1)])
            document.headers[LENGTH] = length
        case 1:
            document.headers["CONTENT_TYPE"] = random.choice(
                ["text/csv", "text/plain", "application/json; charset=utf-16", "x" * 500]
            )
        case 2:
            coding = random.choice(["gzip", "deflate", "gzip, gzip", "br", "identity"])
            document.headers["CONTENT_ENCODING"] = coding
            if coding == "gzip" and random.random() < 0.7:
                document.body = gzip.compress(document.body, mtime=0)
