"""The predict protocol with plain bytes: no server, no model."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, ServeError, TooLarge, Unsupported
from serve.models.spec import ModelSpec
from serve.protocols import predict
from serve.protocols.reading import json_arrays

SPEC = TensorSpec(name="image", dtype="float32", shape=(-1, 4), range=(0, 255))
ROWS = [[0, 1, 2.5, 255], [4, 5, 6, 7], [8, 9, 10, 11]]


def model_spec(*inputs: TensorSpec, labels: tuple[str, ...] = ()) -> ModelSpec:
    probabilities = TensorSpec(name="probabilities", dtype="float32", shape=(-1, 2))
    return ModelSpec("m", 3, inputs or (SPEC,), (probabilities,), labels)


def parse(document: Any, spec: TensorSpec = SPEC, max_rows: int = 4) -> predict.PredictRequest:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return predict.parse(body, {}, model_spec(spec), max_rows)


def batch(request: predict.PredictRequest) -> NDArray[Any]:
    (array,) = request.inputs.values()
    assert request.rows == len(array)
    return array


def b64(array: NDArray[Any], **changes: Any) -> dict[str, Any]:
    text = base64.b64encode(array.tobytes()).decode()
    return {"b64": text, "dtype": array.dtype.name, "shape": list(array.shape)} | changes


def square(row: list[float]) -> list[list[float]]:
    return [row[:2], row[2:]]


@pytest.mark.parametrize(
    "document",
    [
        {"images": ROWS},
        {"images": [square(row) for row in ROWS]},
        {"images": b64(np.array(ROWS))},
        {"images": b64(np.array(ROWS, dtype="float32").reshape(3, 2, 2))},
        {"images": [b64(np.array(row)) for row in ROWS]},
        {"images": [ROWS[0], b64(np.array(ROWS[1], "uint8")), square(ROWS[2])]},
        {"images": ROWS, "note": "[an array in a text]", "more": [[1], "x", [[]]]},
    ],
)
def test_takes_a_batch_in_every_form(document: Any) -> None:
    request = parse(document)
    assert not request.single
    assert batch(request).dtype == np.float32
    np.testing.assert_array_equal(batch(request), np.array(ROWS, dtype=np.float32))


def test_a_document_stays_as_it_is_while_others_are_parsed() -> None:
    """The parser is used again, but not while what it gave is still referred to."""
    for good, bad in ((b"[1]", b"{"), (b"[2]", b"1e999"), (b"[3]", b"")):
        assert json_arrays.parse(good).as_list() == [int(good[1:2])]
        with pytest.raises(BadRequest):
            json_arrays.parse(bad)
    first = json_arrays.parse(b'{"image": [1, 2, 3]}')
    second = json_arrays.parse(b'{"image": [4, 5, 6]}')
    for bad in (b"{", b'{"image": 1e999}'):
        with pytest.raises(BadRequest):
            json_arrays.parse(bad)
    long = json_arrays.parse(b'{"image": [7], "note": "' + b"x" * 2**21 + b'"}')
    assert [list(document["image"]) for document in (first, second, long)] == [
        [1, 2, 3],
        [4, 5, 6],
        [7],
    ]


@pytest.mark.parametrize(
    "image", [ROWS[0], square(ROWS[0]), b64(np.array(ROWS[0])), b64(np.array(square(ROWS[0])))]
)
def test_takes_one_image_in_every_form(image: Any) -> None:
    request = parse({"image": image})
    assert request.single
    np.testing.assert_array_equal(batch(request), np.array([ROWS[0]], dtype=np.float32))


def test_compact_numbers_are_little_endian() -> None:
    big = np.array(ROWS, dtype=">f4")
    little = b64(big, b64=base64.b64encode(big.astype("<f4").tobytes()).decode())
    np.testing.assert_array_equal(batch(parse({"images": little})), np.array(ROWS, np.float32))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "not JSON: EMPTY"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"image": [1, 2, NaN, 4]}', "not JSON"),
        (b'{"image": [1, 2, 1e999, 4]}', "not JSON"),
        (b'{"image": [1, 2, 3, 123456789012345678901234567890]}', "not JSON"),
        (b'{"image": ' + b"[" * 5000 + b"]" * 5000 + b"}", "not JSON"),
        (ROWS, 'expected {"image": …} or {"images": …}, got an array of 3'),
        ({"imags": ROWS}, "neither"),
        ({"image": ROWS[0], "images": ROWS}, "both"),
        ({"image": "7"}, "image: expected an array of 4 numbers, got a string"),
        ({"image": None}, "image: expected an array of 4 numbers, got null"),
        ({"image": []}, "image: expected an array of 4 numbers, got an array of 0"),
        ({"image": [1, 2, 3]}, "image: expected an array of 4 numbers, got an array of 3"),
        ({"image": [ROWS[0]]}, "image: expected an array of 2 arrays, got an array of 1"),
        ({"image": [1, 2, True, 4]}, r"image\[2\]: expected a number, got a boolean"),
        ({"image": [1, 2, {}, 4]}, r"image\[2\]: expected a number, got an object"),
        ({"image": [1, [2], 3, 4]}, r"image\[1\]: expected a number, got an array of 1"),
        ({"images": []}, "at least one row"),
        ({"images": 7}, "images: expected an array of images, got a number"),
        ({"images": [1, 2, 3, 4]}, r"images\[0\]: expected an array of 4 numbers, got a number"),
        ({"images": [ROWS[0], ROWS[1][:3]]}, r"images\[1\]: .* 4 numbers, got an array of 3"),
        ({"images": [ROWS[0], [1, 2, None, 4]]}, r"images\[1\]\[2\]: expected a number, got null"),
        ({"images": [ROWS[0], [1, [], [2, 3], 4]]}, r"images\[1\]\[1\]: expected a number, got an"),
        ({"images": [square(ROWS[0]), [[1, 2], [3]]]}, r"images\[1\]\[1\]: .* 2 numbers"),
        ({"images": [square(ROWS[0]), ROWS[1]]}, r"images\[1\]: .* 2 arrays, got an array of 4"),
        ({"images": [ROWS[0], [1, 2, 3, 256]]}, "row 1, value 3: .* from 0 to 255, got 256"),
        ({"image": [1, -1e-3, 3, 4]}, "row 0, value 1: .* from 0 to 255, got -0.001"),
        ({"image": [1, 2, 1e300, 4]}, r"row 0, value 2: .* got 1e\+300"),
        ({"images": b64(np.array([[1, 2, 3, np.nan]]))}, "row 0, value 3: .* got nan"),
        ({"images": b64(np.zeros((0, 4)))}, "at least one row"),
        ({"images": b64(np.zeros((2, 3)))}, r"images: expected shape \[N, 4\], got \[2, 3\]"),
        ({"image": b64(np.zeros((1, 4)))}, r"image: expected shape \[4\], got \[1, 4\]"),
        ({"image": b64(np.zeros(4), dtype="object")}, 'image: expected {"b64"'),
        ({"image": b64(np.zeros(4), dtype=["uint8"])}, 'image: expected {"b64"'),
        ({"image": b64(np.zeros(4), shape=[-4])}, 'image: expected {"b64"'),
        ({"image": b64(np.zeros(4), shape=[1] * 100)}, 'image: expected {"b64"'),
        ({"image": b64(np.zeros(4), shape=[0, 2**63])}, 'image: expected {"b64"'),
        ({"image": b64(np.zeros(4), shape=[2**31] * 8)}, "takes 3618.* bytes, b64 holds 32"),
        ({"image": b64(np.zeros(4), shape=[0, 2**31, 2**31, 2**31])}, "b64 holds 32"),
        ({"image": b64(np.zeros(0), shape=[0, 2**31, 2**31, 2**31])}, "no array has shape"),
        ({"image": b64(np.zeros(4), shape=4)}, 'image: expected {"b64"'),
        ({"image": b64(np.zeros(4), b64="!")}, "image: b64 is not base64"),
        ({"image": b64(np.zeros(4), b64="ä")}, "image: b64 is not base64"),
        (
            {"image": b64(np.zeros(3), shape=[4])},
            "float64 of shape .* takes 32 bytes, b64 holds 24",
        ),
    ],
)
def test_says_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        parse(document)
    assert caught.value.status == 400


@pytest.mark.parametrize("images", [ROWS + ROWS, b64(np.zeros((6, 4)))])
def test_refuses_too_many_rows(images: Any) -> None:
    with pytest.raises(TooLarge, match="at most 4 rows in one request, got 6") as caught:
        parse({"images": images})
    assert caught.value.status == 413


def test_an_image_model_takes_no_other_nesting() -> None:
    spec = TensorSpec(name="image", dtype="float32", shape=(-1, 2, 2))
    np.testing.assert_array_equal(batch(parse({"image": square(ROWS[0])}, spec)).shape, (1, 2, 2))
    with pytest.raises(BadRequest, match="expected an array of 2 arrays, got an array of 4"):
        parse({"image": ROWS[0]}, spec)


def test_without_a_declared_range_every_finite_number_is_taken() -> None:
    spec = TensorSpec(name="image", dtype="float32", shape=(-1, 4))
    np.testing.assert_array_equal(
        batch(parse({"image": [-1e30, 1e30, 0, 5]}, spec)), np.array([[-1e30, 1e30, 0, 5]], "f4")
    )
    with pytest.raises(BadRequest, match="expected a finite float32, got 1e"):
        parse({"image": [1, 2, 1e39, 4]}, spec)


def test_random_bytes_are_refused_and_nothing_else() -> None:
    """Valid documents with bytes changed at random either parse or raise a ServeError."""
    random = np.random.default_rng(0)
    bodies = [
        json.dumps(document).encode()
        for document in ({"images": ROWS}, {"image": b64(np.array(ROWS[0]))})
    ]
    refused = 0
    for _ in range(3000):
        body = bytearray(bodies[random.integers(2)])
        for _ in range(random.integers(1, 4)):
            body[random.integers(len(body))] = random.choice(list(b'[]{}",:0e-\xff tn'))
        try:
            rows = batch(parse(bytes(body)))
            assert rows.shape[1:] == (4,)
            assert np.isfinite(rows).all()
        except ServeError:
            refused += 1
    assert refused > 1000


SCORES = np.array([[0.25, 0.75], [0.5, 0.25]], dtype=np.float32)


def render(request: predict.PredictRequest, labels: tuple[str, ...] = ()) -> Any:
    scores = {"probabilities": SCORES[: request.rows]}
    return json.loads(predict.render(request, scores, model_spec(labels=labels)).body)


def test_answers_a_batch() -> None:
    assert render(predict.PredictRequest({}, 2)) == {
        "predictions": [1, 0],
        "probabilities": [[0.25, 0.75], [0.5, 0.25]],
        "model": "m",
        "version": 3,
    }


def test_answers_one_image() -> None:
    answer = render(predict.PredictRequest({}, 1, single=True))
    assert answer == {"prediction": 1, "probabilities": [[0.25, 0.75]]}


def test_names_the_classes_where_names_say_more_than_numbers() -> None:
    labels = ("cat", "dog")
    assert render(predict.PredictRequest({}, 1, single=True), labels)["label"] == "dog"
    assert render(predict.PredictRequest({}, 2), labels)["labels"] == ["dog", "cat"]
    for other in (("0", "1"), ("cat", "dog", "cow")):
        assert "labels" not in render(predict.PredictRequest({}, 2), other)


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason"),
    [
        ([("x", "float32", (-1, 4))], [("y", "float32", (-1, 2))], None),
        ([("x", "uint8", (-1, 4))], [("y", "float32", (-1, 2))], None),
        ([("x", "float32", (1, 4))], [("y", "float32", (1, 2))], None),
        ([("x", "float32", (-1, -1))], [("y", "float32", (-1, 2))], "not one tensor"),
        ([("x", "float32", (-1,))], [("y", "float32", (-1, 2))], "not one tensor"),
        ([("x", "float32", (-1, 4))] * 2, [("y", "float32", (-1, 2))], "not one tensor"),
        ([("x", "bool", (-1, 4))], [("y", "float32", (-1, 2))], "not one tensor"),
        ([("x", "float32", (-1, 4))], [("y", "float32", (-1,))], "first output"),
    ],
)
def test_knows_the_models_it_can_speak_for(
    inputs: list[Any], outputs: list[Any], reason: str | None
) -> None:
    tensors = [
        tuple(TensorSpec(name=name, dtype=dtype, shape=shape) for name, dtype, shape in side)
        for side in (inputs, outputs)
    ]
    body = b'{"images": [[1, 2, 3, 4]]}'
    if reason is None:
        assert predict.parse(body, {}, ModelSpec("m", 3, *tensors), 4).rows == 1
    else:
        with pytest.raises(Unsupported, match=reason):
            predict.parse(body, {}, ModelSpec("m", 3, *tensors), 4)


def test_a_model_of_a_fixed_batch_takes_no_other() -> None:
    spec = TensorSpec(name="x", dtype="float32", shape=(2, 4))
    assert parse({"images": ROWS[:2]}, spec).rows == 2
    for document in ({"image": ROWS[0]}, {"images": ROWS}):
        with pytest.raises(BadRequest, match="takes 2 rows at a time, got"):
            parse(document, spec)


@pytest.mark.parametrize(
    ("dtype", "good", "bad", "message"),
    [
        ("uint8", [0, 255, 3.0, 1], [0, 256, 3, 1], "value 1: 256 can't be had as uint8"),
        ("uint8", [0, 255, 3, 1], [0, 1, 2.5, 1], "value 2: 2.5 can't be had as uint8"),
        ("int8", [-128, 127, 0, 0], [-1e30, 0, 0, 0], "value 0: -1e\\+30 can't"),
        ("int64", [2**53 + 1, -(2**63), 0, 0], [2**63, 0, 0, 0], "can't be had as int64"),
        ("uint64", [2**64 - 1, 0, 0, 0], [-1, 0, 0, 0], "-1.0 can't be had as uint64"),
    ],
)
def test_whole_numbers_stay_as_they_are(
    dtype: str, good: list[float], bad: list[float], message: str
) -> None:
    spec = TensorSpec(name="x", dtype=dtype, shape=(-1, 4))
    np.testing.assert_array_equal(batch(parse({"image": good}, spec)), np.array([good], dtype))
    with pytest.raises(BadRequest, match=message):
        parse({"image": bad}, spec)
