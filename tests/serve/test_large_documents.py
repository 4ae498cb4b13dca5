"""A large document, whatever its form, is read or refused in a time that grows with its length.

Where it grew with the square, one request of a few megabytes would keep a worker busy for hours.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

import pytest

from bundle.features import Feature
from bundle.manifest import TensorSpec
from serve.errors import ServeError
from serve.models.spec import ModelSpec
from serve.models.table_spec import TableSpec
from serve.protocols import mlflow, oip, predict, tfserving
from serve.protocols.interface import InferenceProtocol

LENGTH = 1_000_000
CPU_SECONDS = 3.0  # about 0.03 are used; with the square of the length, 10

IMAGE = TensorSpec(name="image", dtype="float32", shape=(-1, 784), range=(0, 255))
AGE = TensorSpec(name="age", dtype="int64", shape=(-1,))
SCORES = TensorSpec(name="scores", dtype="float32", shape=(-1, 2))
SIGNATURES = {
    "floats": ModelSpec("m", 1, (IMAGE,), (SCORES,)),
    "bytes": ModelSpec("m", 1, (replace(IMAGE, dtype="uint8", shape=(-1, 28, 28)),), (SCORES,)),
    "truths": ModelSpec("m", 1, (replace(IMAGE, dtype="bool", shape=(-1, -1)),), (SCORES,)),
    "two inputs": ModelSpec("m", 1, (IMAGE, AGE), (SCORES,)),
}
PIXELS = json.dumps([0] * 784)


def repeated(element: str) -> str:
    return f"[{','.join([element] * (LENGTH // (len(element) + 1)))}]"


def keys(value: str) -> str:
    return json.dumps({f"{index:x}": 0 for index in range(LENGTH // 12)}).replace(": 0", value)


VALUES = {
    "keys": keys(":1"),
    "keys of null": keys(":null"),
    "keys of arrays": keys(":[]"),
    "one key": "{" + repeated('"image":1')[1:-1] + "}",
    "numbers": repeated("1"),
    "decimals": repeated("0.12345678901234567890123"),
    "digits": "1" * LENGTH,
    "truths": repeated("true"),
    "null": repeated("null"),
    "texts": repeated('""'),
    "text": json.dumps("\1" * (LENGTH // 6)),
    "arrays": repeated("[]"),
    "depth": repeated("[[[[1]]]]"),
    "deepest": "[" * 1000 + "]" * 1000,
    "objects": repeated("{}"),
    "named": repeated('{"image":[0,0]}'),
    "images": repeated(PIXELS),
    "records": repeated(json.dumps({str(pixel): 0 for pixel in range(784)})),
    "outputs": repeated('{"name":"scores"}'),
}
OIP = '{"inputs":[{"name":"image","shape":[1,784],"datatype":"FP32","data":' + PIXELS
FORMS: list[tuple[InferenceProtocol, str]] = [
    *(
        (protocol, form)
        for protocol in (predict, tfserving, mlflow, oip)
        for form in ("%s", '{"inputs":%s}', '{"more":%s,"inputs":[[0]],"images":[[0]]}')
    ),
    (predict, '{"images":%s}'),
    (predict, '{"images":[%s]}'),
    (predict, '{"images":{"b64":%s,"dtype":"uint8","shape":[1,784]}}'),
    (predict, '{"images":{"b64":"","dtype":"uint8","shape":%s}}'),
    (predict, '{"images":{"b64":"","dtype":"uint8","shape":[1],"more":%s}}'),
    (tfserving, '{"instances":%s}'),
    (tfserving, '{"instances":[%s]}'),
    (tfserving, '{"instances":[{"image":%s}]}'),
    (tfserving, '{"inputs":{"image":%s}}'),
    (tfserving, '{"signature_name":%s,"instances":[[0]]}'),
    (mlflow, '{"params":%s,"instances":[[0]]}'),
    (mlflow, '{"dataframe_records":%s}'),
    (mlflow, '{"dataframe_records":[%s]}'),
    (mlflow, '{"dataframe_records":[{"a":1},%s]}'),
    (mlflow, '{"dataframe_split":%s}'),
    (mlflow, '{"dataframe_split":{"columns":%s,"data":[[1]]}}'),
    (mlflow, '{"dataframe_split":{"columns":["image"],"data":%s}}'),
    (mlflow, '{"dataframe_split":{"columns":["image"],"data":[%s]}}'),
    (mlflow, '{"dataframe_split":{"columns":["image"],"data":[[1]],"index":%s}}'),
    (oip, '{"inputs":[%s]}'),
    (oip, '{"inputs":[{"name":%s,"shape":[1,784],"datatype":"FP32","data":[0]}]}'),
    (oip, '{"inputs":[{"name":"image","shape":%s,"datatype":"FP32","data":[0]}]}'),
    (oip, '{"inputs":[{"name":"image","shape":[1,784],"datatype":%s,"data":[0]}]}'),
    (oip, '{"inputs":[{"name":"image","shape":[1,784],"datatype":"FP32","data":%s}]}'),
    (oip, OIP + ',"parameters":%s}]}'),
    (oip, OIP + ',"parameters":{"binary_data_size":%s}}]}'),
    (oip, OIP + '}],"parameters":%s}'),
    (oip, OIP + '}],"outputs":%s}'),
    (oip, OIP + '}],"outputs":[{"name":"scores","parameters":%s}]}'),
]


TABLE_FORMS: list[tuple[InferenceProtocol, str]] = [
    (predict, '{"rows":%s}'),
    (predict, '{"rows":[%s]}'),
    (predict, '{"rows":[{"age":%s,"job":"admin"}]}'),
    (predict, '{"rows":[[1,%s]]}'),
    (predict, '{"columns":%s,"rows":[[1]]}'),
    (predict, '{"columns":["age","job"],"rows":%s}'),
    (predict, '{"rows":[],"more":%s}'),
    (tfserving, '{"instances":%s}'),
    (tfserving, '{"inputs":{"age":%s,"job":["admin"]}}'),
    (mlflow, '{"dataframe_records":[{"age":1,"job":"admin"},%s]}'),
    (mlflow, '{"dataframe_split":{"columns":%s,"data":[[1]]}}'),
    (mlflow, '{"dataframe_split":{"columns":["age","job"],"data":[%s]}}'),
    (oip, '{"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[0]},%s]}'),
    (oip, OIP.replace("image", "age") + '},{"name":"job","datatype":"BYTES","data":%s}]}'),
]
TABLE = TableSpec(
    name="features",
    dtype="float32",
    shape=(-1, 2),
    features=(
        Feature(name="age", kind="number", accepts_missing=True),
        Feature(name="job", kind="category", values=("admin",), accepts_unknown=True),
    ),
)
TABLES = ModelSpec("m", 1, (TABLE,), (SCORES,))


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise where more of this process's own CPU time is used; a busy machine uses none of it."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {seconds} s of CPU time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def refusal(
    protocol: InferenceProtocol, body: bytes, headers: dict[str, str], signature: ModelSpec
) -> ServeError | None:
    """Why a document is refused; None where it is not."""
    with cpu_limit(CPU_SECONDS):
        try:
            protocol.parse(body, headers, signature, 4096)
        except ServeError as error:
            return error
    return None


def is_brief(error: ServeError) -> bool:
    return error.status in (400, 413, 501) and len(str(error)) <= 600 and str(error).isprintable()


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_json(value: str, signature: ModelSpec) -> None:
    for protocol, form in FORMS:
        error = refusal(protocol, (form % value).encode(), {}, signature)
        assert error is None or is_brief(error)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_json_of_tables(value: str) -> None:
    for protocol, form in TABLE_FORMS:
        error = refusal(protocol, (form % value).encode(), {}, TABLES)
        assert error is None or is_brief(error)


@pytest.mark.parametrize("signature", [*SIGNATURES.values(), TABLES], ids=[*SIGNATURES, "table"])
@pytest.mark.parametrize(
    "body",
    [
        "a," * (LENGTH // 2) + "\n1",
        "a\n" + "1\n" * (LENGTH // 2),
        "a\n" + "1," * (LENGTH // 2),
        '"' * LENGTH,
        'a\n"' + "\n" * LENGTH,
        "\n" * LENGTH,
        "a\n" + "9" * LENGTH,
        "image\n" + "1e5," * (LENGTH // 4),
        "age,job\n" + "1e5," * (LENGTH // 4),
        "age,job\n" + '"\n' * (LENGTH // 2),
        'age,job\n1,"' + "," * LENGTH,
        ",".join(map(str, range(784))) + "\n" + (",".join("0" * 784) + "\n") * (LENGTH // 1568),
    ],
    ids=lambda body: repr(body[:8]),
)
def test_csv(body: str, signature: ModelSpec) -> None:
    error = refusal(mlflow, body.encode(), {"CONTENT_TYPE": "text/csv"}, signature)
    assert error is None or is_brief(error)


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_bytes_behind_a_large_head(signature: ModelSpec) -> None:
    for value in VALUES.values():
        body = f'{{"inputs":{value}}}'.encode()
        headers = {oip.HEAD_LENGTH.upper().replace("-", "_"): str(len(body))}
        error = refusal(oip, body + bytes(LENGTH), headers, signature)
        assert error
        assert is_brief(error)
