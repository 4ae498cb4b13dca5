"""TensorFlow Serving's and MLflow's protocols with plain bytes: no server, no model."""

import json
from typing import Any

import numpy as np
import pytest

from bundle.manifest import TensorSpec
from serve.errors import BadRequest, ServeError, TooLarge, UnknownType
from serve.models.spec import ModelSpec
from serve.protocols import mlflow, tfserving
from serve.protocols.interface import InferenceProtocol
from tests.serve.protocols.tabular_requests import (
    AGE,
    COLUMNS,
    MEMBER,
    NAMED_ROWS,
    ONE,
    ROWS,
    SCORES,
    THREE,
    parse,
)

RECORD = {"a": 1, "b": 2, "c": 3, "d": 4}
SCALARS = [row | {"member": row["member"][0]} for row in NAMED_ROWS]
SPLIT = {"columns": list(COLUMNS), "data": [list(row.values()) for row in NAMED_ROWS]}


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (tfserving, {"instances": ROWS}),
        (tfserving, {"instances": [{"image": row} for row in ROWS]}),
        (tfserving, {"inputs": ROWS}),
        (tfserving, {"inputs": {"image": ROWS}, "signature_name": "serving_default"}),
        (mlflow, {"instances": ROWS, "params": {"temperature": 1}}),
        (mlflow, {"instances": [{"image": row} for row in ROWS]}),
        (mlflow, {"inputs": ROWS}),
        (mlflow, {"inputs": {"image": ROWS}}),
        (mlflow, {"dataframe_split": {"columns": list("abcd"), "index": [0, 1, 2], "data": ROWS}}),
        (mlflow, {"dataframe_split": {"columns": ["image"], "data": [[row] for row in ROWS]}}),
        (mlflow, {"dataframe_records": [dict(zip("abcd", row, strict=True)) for row in ROWS]}),
        (mlflow, {"dataframe_records": [{"image": row} for row in ROWS]}),
    ],
)
def test_takes_one_input_in_every_form(protocol: InferenceProtocol, document: Any) -> None:
    request = parse(protocol, document)
    assert request.rows == 3
    assert request.inputs["image"].dtype == np.float32
    np.testing.assert_array_equal(request.inputs["image"], np.array(ROWS, np.float32))


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (tfserving, {"instances": NAMED_ROWS}),
        (tfserving, {"inputs": COLUMNS}),
        (mlflow, {"instances": NAMED_ROWS}),
        (mlflow, {"inputs": COLUMNS}),
        (mlflow, {"dataframe_split": SPLIT}),
        (mlflow, {"dataframe_records": NAMED_ROWS}),
        (mlflow, {"dataframe_records": SCALARS}),
    ],
)
def test_takes_several_inputs_in_every_form(protocol: InferenceProtocol, document: Any) -> None:
    request = parse(protocol, document, THREE)
    assert request.rows == 2
    np.testing.assert_array_equal(request.inputs["image"], np.array(ROWS[:2], np.float32))
    np.testing.assert_array_equal(request.inputs["age"], [2**53 + 1, -3])
    np.testing.assert_array_equal(request.inputs["member"], [[True], [False]])
    assert [array.dtype.name for array in request.inputs.values()] == ["float32", "int64", "bool"]


CSV = b'"a",b,c,d\r\n0,1,2.5,255\r\n4,5,6,7\r\n8,9,10,11\r\n'


@pytest.mark.parametrize("content_type", ["text/csv", 'Text/CSV; charset="UTF-8"'])
@pytest.mark.parametrize(
    "body", [b"\xef\xbb\xbf" + CSV, CSV.replace(b"\r", b""), CSV.rstrip(), CSV + b"\n\n"]
)
def test_takes_csv(content_type: str, body: bytes) -> None:
    request = parse(mlflow, body, CONTENT_TYPE=content_type)
    np.testing.assert_array_equal(request.inputs["image"], np.array(ROWS, np.float32))


def test_takes_a_column_of_csv_for_each_input() -> None:
    specs = (TensorSpec(name="x", dtype="float32", shape=(-1, 1)), AGE)
    model_spec = ModelSpec("m", 1, specs, (SCORES,))
    request = parse(mlflow, b"age,x\n3,0.5\n4,0.25\n", model_spec, CONTENT_TYPE="text/csv")
    np.testing.assert_array_equal(request.inputs["x"], [[0.5], [0.25]])
    np.testing.assert_array_equal(request.inputs["age"], [3, 4])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "not JSON"),
        ([1], "expected an object, got an array of 1"),
        ({}, "got 0 of them"),
        ({"instances": ROWS, "inputs": ROWS}, "got 2 of them"),
        ({"instances": ROWS, "signature_name": "other"}, 'only "serving_default"'),
        ({"instances": 3}, "instances: expected an array, got a number"),
        ({"instances": []}, "at least one row"),
        ({"instances": [1, 2, 3, 4]}, r"instances\[0\]: expected an array of 4 numbers"),
        ({"instances": [[1, 2, 3]]}, "an array of 4 numbers, got an array of 3"),
        ({"instances": [[1, [2], 3, 4]]}, r"instances\[0\]\[1\]: expected a number"),
        ({"instances": [{"image": ROWS[0]}, ROWS[1]]}, r"instances\[1\]: expected an object like"),
        ({"instances": [{"picture": ROWS[0]}]}, "expected the inputs image; got 'picture'"),
        ({"instances": [{"image": [1, "2", 3, 4]}]}, r"instances\[0\].image\[1\]: .* a string"),
        (
            {"instances": [{"image": [1, [2], 3, 4]}]},
            r"\[0\].image\[1\]: .* an array of 1",
        ),
        ({"inputs": {"image": ROWS, "more": ROWS}}, "expected the inputs image; got 'image, more'"),
        ({"inputs": {"image": 3}}, "inputs.image: expected an array of 1 arrays, got a number"),
        ({"inputs": [[1, 2, 3, None]]}, r"inputs\[0\]\[3\]: expected a number, got null"),
        ({"inputs": [[1, 2, 3, 256]]}, "from 0 to 255, got 256"),
    ],
)
def test_tfserving_says_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(tfserving, document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (ROWS, "expected an object with one of inputs, .* got an array of 3"),
        ({}, "got 0 of them and 0 other keys"),
        ({"inputs": ROWS, "instances": ROWS}, "got 2 of them and 0 other keys"),
        ({"inputs": ROWS, "other": 1}, "got 1 of them and 1 other keys"),
        ({"dataframe_split": {"data": ROWS}}, "an object with columns and data"),
        ({"dataframe_split": {"columns": 3, "data": ROWS}}, "expected arrays as columns and data"),
        ({"dataframe_split": ROWS}, "an object with columns and data"),
        (
            {"dataframe_split": {"columns": ["a"], "data": [[1, 2, 3, 4]]}},
            "an array of 1, as there are",
        ),
        (
            {"dataframe_split": {"columns": list("abcd"), "index": None, "data": [[1, [2], 3, 4]]}},
            r"data\[0\]\[1\]: expected a number, got an array of 1",
        ),
        ({"dataframe_records": {}}, "an array of objects, got an object"),
        ({"dataframe_records": []}, "at least one row"),
        ({"dataframe_records": [7]}, r"dataframe_records\[0\]: expected an object"),
        ({"dataframe_records": [RECORD, 7]}, r"\[1\]: .* the columns of the first"),
        ({"dataframe_records": [RECORD, {"e": 1}]}, r"\[1\]: .* the columns of the first"),
        ({"dataframe_records": [RECORD, RECORD | {"e": 1}]}, r"\[1\]: .* the columns of the first"),
        (
            {"dataframe_records": [RECORD | {"b": "x"}]},
            r"records\[0\]: expected a number, got a string",
        ),
        ({"dataframe_records": [RECORD, RECORD | {"d": True}]}, r"records\[1\]: .* got a boolean"),
        (
            {"dataframe_records": [RECORD | {"a": [1, 2]}, RECORD | {"a": [1]}]},
            "expected a number, got an array of 2",
        ),
        ({"dataframe_records": [{"a": 1}]}, r"shape \[-1, 4\], .* got \[1, 1\]"),
        ({"dataframe_records": [{"a": 1, "b": 2, "c": 3, "d": -1}]}, "from 0 to 255, got -1"),
    ],
)
def test_mlflow_says_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(mlflow, document)


def test_records_name_each_column_once() -> None:
    body = b'{"dataframe_records": [{"a":1,"b":2,"c":3,"c":4}]}'
    with pytest.raises(BadRequest, match="the columns of the first, each once"):
        mlflow.parse(body, {}, ONE, 4)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "at least one row"),
        (b"a,b,c,d\n", "at least one row"),
        (b"\xff", "CSV in UTF-8"),
        (b'a,b,c,"d\n1,2,3,4\n', "a first line that names columns"),
        (b"a,b,c,d\n1,2,3,4\x1e\n", "without control characters"),
        (b"a,b,c,d\n1,2,x,4\n", "expected 4 numbers in each line after the first"),
        (b"a,b,c,d\n1,2,3,4\n1,2\n", "expected 4 numbers in each line"),
        (b"a,b\n1,2,3,4\n", "2 columns are named, 4 have values"),
        (b"a\rb,c,d\n1,2,3,4\n", "CSV in UTF-8, with a first line that names columns"),
        (b"a" * 140_000 + b",b,c,d\n1,2,3,4\n", "CSV in UTF-8, with a first line"),
        (b"a,b,c,d\n1,2,nan,4\n", "row 0, value 2: expected a number from 0 to 255, got nan"),
    ],
)
def test_csv_says_what_is_wrong(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(mlflow, body, CONTENT_TYPE="text/csv")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json; version=2", "text/csv; charset=latin-1"]
)
def test_other_content_types_are_refused(content_type: str) -> None:
    with pytest.raises(UnknownType, match="expected") as caught:
        parse(mlflow, {"inputs": ROWS}, CONTENT_TYPE=content_type)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (tfserving, {"instances": ROWS * 2}),
        (tfserving, {"instances": [{"image": row} for row in ROWS * 2]}),
        (tfserving, {"inputs": ROWS * 2}),
        (mlflow, {"dataframe_split": {"columns": list("abcd"), "data": ROWS * 2}}),
        (mlflow, {"dataframe_records": [{"image": row} for row in ROWS * 2]}),
        (mlflow, CSV + CSV[11:]),
    ],
)
def test_rows_are_counted(protocol: InferenceProtocol, document: Any) -> None:
    kind = "text/csv" if isinstance(document, bytes) else "application/json"
    with pytest.raises(TooLarge, match="at most 4 rows"):
        parse(protocol, document, CONTENT_TYPE=kind)


@pytest.mark.parametrize("protocol", [tfserving, mlflow])
def test_inputs_have_as_many_rows_each(protocol: InferenceProtocol) -> None:
    with pytest.raises(BadRequest, match="image has 3, age has 2, member has 2"):
        parse(protocol, {"inputs": COLUMNS | {"image": ROWS}}, THREE)


def test_duplicate_columns_are_refused() -> None:
    model_spec = ModelSpec("m", 1, (MEMBER, AGE), (SCORES,))
    with pytest.raises(BadRequest, match="expected a column for each input: member, age"):
        parse(mlflow, b"member,age,age\n1,2,3\n", model_spec, CONTENT_TYPE="text/csv")


OPEN = ModelSpec("m", 1, (TensorSpec(name="x", dtype="float32", shape=(-1, -1)),), (SCORES,))


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (tfserving, {"instances": [[]]}),
        (tfserving, {"instances": [{"x": []}]}),
        (tfserving, {"inputs": {"x": [[]]}}),
        (mlflow, {"inputs": [[]]}),
        (mlflow, {"dataframe_split": {"columns": [], "data": [[]]}}),
    ],
)
def test_rows_with_nothing_in_them_are_refused(protocol: InferenceProtocol, document: Any) -> None:
    with pytest.raises(BadRequest, match="expected"):
        parse(protocol, document, OPEN)


def test_random_bytes_are_refused_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    documents = [
        (tfserving, {"instances": NAMED_ROWS}),
        (tfserving, {"inputs": COLUMNS}),
        (mlflow, {"dataframe_split": SPLIT}),
        (mlflow, {"dataframe_records": SCALARS}),
        (mlflow, {"inputs": COLUMNS, "params": {"a": [1]}}),
    ]
    refused = 0
    for turn in range(5000):
        protocol, document = documents[turn % len(documents)]
        body = bytearray(json.dumps(document).encode())
        for _ in range(random.integers(1, 4)):
            body[random.integers(len(body))] = random.choice(list(b'[]{}",:0e-\xff tn'))
        try:
            request = parse(protocol, bytes(body), THREE)
            assert request.inputs["image"].shape[1:] == (4,)
            assert np.isfinite(request.inputs["image"]).all()
        except ServeError:
            refused += 1
    assert refused > 2000
