"""The Open Inference Protocol with plain bytes: no server, no model."""

import json
from typing import Any

import numpy as np
import pytest

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, ServeError, TooLarge, Unsupported
from serve.models.spec import ModelSpec
from serve.protocols import oip
from tests.serve.protocols.oip_requests import DTYPES, ONE, SCORES, TWO, binary, parse, tensor

ROWS = [[0, 1, 2.5, 255], [4, 5, 6, 7], [8, 9, 10, 11]]


@pytest.mark.parametrize("data", [ROWS, np.ravel(ROWS).tolist(), np.array(ROWS, float).tolist()])
def test_takes_json_nested_or_flat(data: Any) -> None:
    request = parse(tensor("image", data, shape=[3, 4]))
    assert request.rows == 3
    assert request.inputs["image"].dtype == np.float32
    np.testing.assert_array_equal(request.inputs["image"], np.array(ROWS, np.float32))


@pytest.mark.parametrize("datatype", sorted(DTYPES.keys() - {"BOOL"}))
def test_takes_every_datatype_in_json_and_as_bytes(datatype: str) -> None:
    values = np.array([[0, 1, 2, 100], [3, 4, 5, 6]], DTYPES[datatype])
    described, data = binary("image", values)
    for request in (
        parse(tensor("image", values.tolist(), datatype)),
        parse(described, rest=data),
    ):
        assert request.inputs["image"].dtype == np.float32
        np.testing.assert_array_equal(request.inputs["image"], values.astype(np.float32))


def test_takes_truth_values() -> None:
    spec = TensorSpec(name="x", dtype="bool", shape=(-1, 2))
    model_spec = ModelSpec("m", 1, (spec,), (SCORES,))
    values = np.array([[True, False], [False, True]])
    described, data = binary("x", values)
    for request in (
        parse(tensor("x", values.tolist(), "BOOL"), model_spec=model_spec),
        parse(described, rest=data, model_spec=model_spec),
        parse(tensor("x", values.astype(int).tolist(), "INT8"), model_spec=model_spec),
    ):
        assert request.inputs["x"].dtype == np.bool_
        np.testing.assert_array_equal(request.inputs["x"], values)
    for bad in (tensor("x", [[2, 0]], "INT8"), tensor("x", [[1, 0]], "BOOL")):
        with pytest.raises(BadRequest):
            parse(bad, model_spec=model_spec)
    with pytest.raises(BadRequest, match="neither 0 nor 1"):
        parse(described, rest=b"\2\0\0\0", model_spec=model_spec)


def test_bytes_may_begin_anywhere() -> None:
    values = np.array([[0.5, 1, 2, 3]], np.float32)
    described, data = binary("image", values)
    for length in range(1, 9):
        request = parse(described, rest=data, id="x" * length)
        assert request.inputs["image"].flags.aligned
        np.testing.assert_array_equal(request.inputs["image"], values)


def test_takes_several_inputs_mixed() -> None:
    described, data = binary("age", np.array([2**53 + 1, -1, 7]))
    request = parse(tensor("image", ROWS), described, rest=data, model_spec=TWO)
    np.testing.assert_array_equal(request.inputs["image"], np.array(ROWS, np.float32))
    np.testing.assert_array_equal(request.inputs["age"], [2**53 + 1, -1, 7])
    swapped = parse(
        tensor("age", [2**53 + 1, 2, 3], "INT64"), tensor("image", ROWS), model_spec=TWO
    )
    np.testing.assert_array_equal(swapped.inputs["age"], [2**53 + 1, 2, 3])


def test_takes_sizes_that_the_model_leaves_open() -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=(-1, -1, 2))
    request = parse(
        tensor("x", [[[1, 2], [3, 4], [5, 6]]]), model_spec=ModelSpec("m", 1, (spec,), (SCORES,))
    )
    assert request.inputs["x"].shape == (1, 3, 2)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "expected 1 inputs, got 0"),
        ((tensor("image", ROWS), tensor("image", ROWS)), "expected 1 inputs, got 2"),
        ((7,), "an input: expected an object, got a number"),
        (({"shape": [1]},), "an input: name is missing"),
        ((tensor("picture", ROWS),), "expected the inputs image; got 'picture'"),
        ((tensor("image", ROWS, "BYTES"),), "image: datatype 'BYTES' is not served"),
        ((tensor("image", ROWS, shape=[3]),), r"expected shape \[-1, 4\], .* got \[3\]"),
        ((tensor("image", ROWS, shape=[3, 5]),), r"got \[3, 5\]"),
        ((tensor("image", ROWS, shape=[3, True]),), "expected shape"),
        ((tensor("image", ROWS, shape=[2**40, 4]),), "expected shape"),
        ((tensor("image", ROWS, shape="3"),), "shape: expected an array, got a string"),
        ((tensor("image", ROWS, shape=[2, 4]),), "expected an array of 2 arrays, got an array of"),
        ((tensor("image", [1, 2, 3], shape=[1, 4]),), "an array of 4 numbers, got an array of 3"),
        ((tensor("image", [], shape=[0, 4]),), "at least one row"),
        ((tensor("image", [[1, [2], 3, 4]], shape=[1, 4]),), r"image\[0\]\[1\]: expected a number"),
        ((tensor("image", [[1, True, 3, 4]]),), r"image\[0\]\[1\]: expected a number, got a bool"),
        ((tensor("image", [[1, 2, 3, 256]]),), "from 0 to 255, got 256"),
        ((tensor("image", [[1, 2, 3, 256]], "UINT8"),), "256 can't be had as uint8"),
        ((tensor("image", [[1, 2, 3, 0.1]], "FP64"),), "0.1 can't be had as float32"),
        ((tensor("image", [[1, 2, 3, 2**24 + 1]], "INT32"),), "got 1.67772e"),
        ((tensor("image", "x", shape=[1, 4]),), "data: expected an array, got a string"),
        (({"name": "image", "datatype": "FP32", "shape": [1, 4]},), "image: data is missing"),
        ((tensor("image", ROWS, parameters=3),), "parameters: expected an object, got a number"),
    ],
)
def test_says_what_is_wrong(inputs: tuple[Any, ...], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(*inputs)


def test_rounds_no_float_that_is_declared_longer_than_the_models() -> None:
    exact = parse(tensor("image", [[0.5, 0.25, 1, 2]], "FP64"))
    np.testing.assert_array_equal(exact.inputs["image"], np.array([[0.5, 0.25, 1, 2]], np.float32))


def test_rows_are_counted() -> None:
    with pytest.raises(TooLarge, match="at most 2 rows in one request, got 3"):
        parse(tensor("image", ROWS), max_rows=2)
    with pytest.raises(BadRequest, match="image has 3, age has 2"):
        parse(tensor("image", ROWS), tensor("age", [1, 2], "INT64"), model_spec=TWO)


@pytest.mark.parametrize(
    ("change", "rest", "message"),
    [
        ({}, b"\0" * 15, "expected 16 bytes after the JSON, got 15"),
        ({}, b"\0" * 17, "1 bytes too many follow the JSON"),
        ({"parameters": {"binary_data_size": 15}}, b"\0" * 15, "takes 16 bytes, binary_data_size"),
        ({"parameters": {"binary_data_size": "16"}}, b"\0" * 16, "binary_data_size is '16'"),
    ],
)
def test_bytes_are_as_many_as_they_should_be(
    change: dict[str, Any], rest: bytes, message: str
) -> None:
    described, _ = binary("image", np.zeros((1, 4), np.float32), **change)
    with pytest.raises(BadRequest, match=message):
        parse(described, rest=rest)


@pytest.mark.parametrize("length", ["x", "-1", "999", "²", "1" * 5000])
def test_the_length_of_the_head_is_a_number_within_the_body(length: str) -> None:
    with pytest.raises(BadRequest, match="Inference-Header-Content-Length: expected a number"):
        oip.parse(b"{}", {"INFERENCE_HEADER_CONTENT_LENGTH": length}, ONE, 4)


def answer(**asked: Any) -> tuple[dict[str, Any], bytes, dict[str, str]]:
    """The JSON head, the bytes behind it and the headers of an answer."""
    inputs = (tensor("image", ROWS[:2]), tensor("age", [1, 2], "INT64"))
    request = parse(*inputs, model_spec=TWO, **asked)
    outputs = {
        "scores": np.array([[0.25, 0.75], [0.5, 0.5]], np.float32),
        "class": np.array([1, 2**60]),
    }
    done = oip.render(request, outputs, TWO)
    headers = {"Content-Type": done.content_type, **dict(done.headers)}
    length = int(headers.get(oip.HEAD_LENGTH, len(done.body)))
    return json.loads(done.body[:length]), done.body[length:], headers


def test_answers_in_json() -> None:
    document, rest, headers = answer(id="42")
    assert (rest, headers) == (b"", {"Content-Type": "application/json"})
    assert document == {
        "model_name": "m",
        "model_version": "3",
        "id": "42",
        "outputs": [
            {"name": "scores", "datatype": "FP32", "shape": [2, 2], "data": [0.25, 0.75, 0.5, 0.5]},
            {"name": "class", "datatype": "INT64", "shape": [2], "data": [1, 2**60]},
        ],
    }


def test_answers_with_the_outputs_that_are_asked_for() -> None:
    document, _, _ = answer(outputs=[])
    assert [output["name"] for output in document["outputs"]] == ["scores", "class"]
    document, _, _ = answer(outputs=[{"name": "class"}])
    assert [output["name"] for output in document["outputs"]] == ["class"]
    with pytest.raises(BadRequest, match="no output 'other'; there is scores, class"):
        answer(outputs=[{"name": "other"}])
    with pytest.raises(Unsupported, match="classification"):
        answer(outputs=[{"name": "scores", "parameters": {"classification": 2}}])


def test_answers_in_bytes_where_that_is_asked_for() -> None:
    document, rest, headers = answer(parameters={"binary_data_output": True})
    assert headers["Content-Type"] == "application/octet-stream"
    sizes = [output["parameters"]["binary_data_size"] for output in document["outputs"]]
    assert sizes == [16, 16]
    np.testing.assert_array_equal(np.frombuffer(rest[:16], "<f4"), [0.25, 0.75, 0.5, 0.5])
    np.testing.assert_array_equal(np.frombuffer(rest[16:], "<i8"), [1, 2**60])


def test_answers_mixed() -> None:
    outputs = [{"name": "class", "parameters": {"binary_data": True}}, {"name": "scores"}]
    document, rest, _ = answer(outputs=outputs)
    assert [output["name"] for output in document["outputs"]] == ["class", "scores"]
    assert document["outputs"][1]["data"] == [0.25, 0.75, 0.5, 0.5]
    np.testing.assert_array_equal(np.frombuffer(rest, "<i8"), [1, 2**60])


def test_random_bytes_are_refused_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    described, data = binary("age", np.array([1, 2, 3]))
    head = json.dumps(
        {"id": "7", "inputs": [tensor("image", ROWS), described], "outputs": [{"name": "class"}]}
    ).encode()
    headers = {"INFERENCE_HEADER_CONTENT_LENGTH": str(len(head))}
    refused = 0
    for _ in range(3000):
        body = bytearray(head + data)
        for _ in range(random.integers(1, 4)):
            body[random.integers(len(body))] = random.choice(list(b'[]{}",:0e-\xff tn'))
        try:
            request = oip.parse(bytes(body), headers, TWO, 4)
            assert request.inputs["image"].shape[1:] == (4,)
            assert np.isfinite(request.inputs["image"]).all()
        except ServeError:
            refused += 1
    assert refused > 1000
