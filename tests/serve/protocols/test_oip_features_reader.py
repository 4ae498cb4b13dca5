"""Tables in the Open Inference Protocol: one tensor, or one for each feature."""

from typing import Any

import numpy as np
import pytest

from serve.errors import BadRequest, TooLarge
from tests.serve.protocols.oip_requests import binary, parse, tensor
from tests.serve.protocols.tables import BATCH, NAN, NUMBERS, TABLE

CODES = [[None if np.isnan(value) else value for value in row] for row in BATCH.tolist()]
AGE = tensor("age", [39, 0.5, 120], "FP64")
JOB = tensor("job", ["admin", "nurse, [a]", "Öl"], "BYTES")
PAID = tensor("paid", [True, None, False], "BOOL")
CITY = tensor("home city", [["Ulm"], ["Wien"], [None]], "BYTES")
HEIGHT = tensor("height", [1.75, None, -1e30])


def texts(name: str, *values: bytes, **more: Any) -> tuple[dict[str, Any], bytes]:
    """BYTES as tritonclient sends them."""
    data = b"".join(len(value).to_bytes(4, "little") + value for value in values)
    described = {"name": name, "shape": [len(values)], "datatype": "BYTES"}
    return described | {"parameters": {"binary_data_size": len(data)}} | more, data


def test_takes_a_tensor_for_each_feature_in_json() -> None:
    request = parse(CITY, AGE, PAID, HEIGHT, JOB, model_spec=TABLE)
    assert request.rows == 3
    np.testing.assert_array_equal(request.inputs["features"], BATCH)


def test_takes_a_tensor_for_each_feature_as_bytes() -> None:
    parts = [
        texts("job", b"admin", "Öl".encode()),
        binary("height", np.array([[NAN], [1.5]], np.float16)),
        binary("age", np.array([3, 4], np.uint8)),
        texts("home city", b"Wien", b"Bonn", shape=[2, 1]),
        binary("paid", np.array([True, False])),
    ]
    rest = b"".join(data for _, data in parts)
    for _ in range(2):
        request = parse(*(head for head, _ in parts), rest=rest, model_spec=TABLE)
        np.testing.assert_array_equal(
            request.inputs["features"], [[3, 0, 1, -1, NAN], [4, 2, 0, 0, 1.5]]
        )


def test_takes_some_in_json_and_some_as_bytes() -> None:
    age, data = binary("age", np.array([39, 0.5, 120]))
    request = parse(CITY, age, PAID, HEIGHT, JOB, rest=data, model_spec=TABLE)
    np.testing.assert_array_equal(request.inputs["features"], BATCH)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_takes_one_tensor(dtype: str) -> None:
    described, data = binary("features", BATCH.astype(dtype))
    request = parse(described, rest=data, model_spec=TABLE)
    np.testing.assert_array_equal(request.inputs["features"], BATCH)
    in_json = tensor("features", CODES, "FP32", shape=[3, 5])
    request = parse(in_json, model_spec=TABLE)
    np.testing.assert_array_equal(request.inputs["features"], BATCH)


def test_as_many_rows_as_features() -> None:
    """The kernel takes such arrays for rows."""
    request = parse(*(tensor(name, [1, 2, 3, 4]) for name in "badc"), model_spec=NUMBERS)
    assert request.inputs["features"].tolist() == [[n] * 4 for n in (1, 2, 3, 4)]


def test_one_tensor_has_only_what_the_features_accept() -> None:
    wrong = BATCH.copy()
    wrong[1, 0] = NAN
    described, data = binary("features", wrong)
    for _ in range(2):
        with pytest.raises(BadRequest, match="row 1, age: expected a number from 0 to 120, got na"):
            parse(described, rest=data, model_spec=TABLE)


OTHERS = [JOB, PAID, CITY, HEIGHT]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([AGE | {"datatype": "BYTES"}, *OTHERS], "age: expected a numeric datatype, got 'BYTES'"),
        ([AGE | {"datatype": "x" * 999}, *OTHERS], "age: expected a numeric datatype, got 'xxx"),
        ([AGE, JOB | {"datatype": "FP32"}, *OTHERS[1:]], "job: expected BYTES, got 'FP32'"),
        ([AGE, JOB, PAID | {"datatype": "UINT8"}, CITY, HEIGHT], "paid: expected BOOL, got 'UINT8"),
        ([tensor("age", [1, "x", 3]), *OTHERS], r"age\[1\]: expected a number, got 'x'"),
        ([tensor("age", [1, 2]), *OTHERS], "as many rows in each input, but age has 2, job has 3"),
        ([tensor("age", [1, 2], shape=[3]), *OTHERS], "age: expected 3 values in data, got 2"),
        ([tensor("age", [[1, 2, 3]]), *OTHERS], r"age: expected shape \[N\] or \[N, 1\]"),
        ([tensor("age", 3, shape=[]), *OTHERS], r"age: expected shape \[N\] or \[N, 1\]"),
        (OTHERS, "inputs: the column age is missing"),
        ([AGE, AGE, *OTHERS], "inputs: the column age is there twice"),
        ([AGE, *OTHERS, tensor("x", [1])], "inputs: there is no column 'x'"),
        ([AGE, *OTHERS[:3], tensor("height", [[1, 2]] * 3, shape=[3])], "got an array of 2"),
    ],
)
def test_says_what_is_wrong(inputs: list[Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(*inputs, model_spec=TABLE)


@pytest.mark.parametrize(
    ("described", "data", "message"),
    [
        (*texts("job", b"admin", b"x", b"y"), r"job\[1\]: expected one of 'admin'"),
        (*texts("job", b"admin", b"\xff", b"y"), r"job\[1\]: expected UTF-8"),
        (*texts("job", b"admin", b"admin", shape=[3]), "job: expected 3 texts, each after its"),
        (*texts("job", *[b"admin"] * 4, shape=[3]), "job: expected 3 texts, each after its"),
        (texts("job", b"admin")[0] | {"shape": [3]}, b"\xff" * 9, "job: expected 3 texts"),
        (texts("job", b"admin")[0] | {"shape": [3]}, b"\xff" * 8, "8 bytes are left after the J"),
        (texts("job", b"admin")[0] | {"shape": [3]}, b"\xff" * 10, "job: expected 3 texts"),
    ],
)
def test_says_what_is_wrong_with_bytes(described: Any, data: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(AGE, described, *OTHERS[1:], rest=data, model_spec=TABLE)


def test_bytes_left_over_are_refused() -> None:
    described, data = texts("job", b"admin", b"admin", b"admin")
    with pytest.raises(BadRequest, match="1 bytes too many follow the JSON"):
        parse(AGE, described, *OTHERS[1:], rest=data + b"x", model_spec=TABLE)
    described, data = binary("age", np.array([1, 2, 3]))
    described["parameters"]["binary_data_size"] -= 1
    with pytest.raises(BadRequest, match=r"INT64 of shape \[3\] takes 24 bytes"):
        parse(described, *OTHERS, rest=data, model_spec=TABLE)
    described, data = binary("paid", np.array([True, True, False]))
    with pytest.raises(BadRequest, match="neither 0 nor 1"):
        parse(AGE, JOB, described, CITY, HEIGHT, rest=b"\1\2\0", model_spec=TABLE)


def test_rows_are_counted() -> None:
    with pytest.raises(TooLarge, match="at most 4 rows"):
        parse(*(tensor(name, [1] * 5) for name in "abcd"), model_spec=NUMBERS)
