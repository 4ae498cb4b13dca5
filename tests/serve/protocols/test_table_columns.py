"""Tables in TensorFlow Serving's and MLflow's protocols, by the names of columns or as a tensor."""

import json
from typing import Any

import numpy as np
import pytest

from bundle.features import Feature
from serve.errors import BadRequest, TooLarge
from serve.protocols import mlflow, tfserving
from serve.protocols.interface import InferenceProtocol
from tests.serve.protocols.tables import (
    BATCH,
    NAMES,
    NUMBERS,
    RECORDS,
    ROWS,
    TABLE,
    model_spec,
)
from tests.serve.protocols.tabular_requests import parse

COLUMNS = {name: [row[index] for row in ROWS] for index, name in enumerate(NAMES)}
CODES = [[None if np.isnan(value) else value for value in row] for row in BATCH.tolist()]
CSV = (
    '"home city",age,job,height,paid\r\n'
    "Ulm,39,admin,1.75,True\r\n"
    'Wien,.5,"nurse, [a]",,\r\n'
    ",120,Öl,-1e30,0\r\n"
)


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (tfserving, {"instances": RECORDS}),
        (tfserving, {"inputs": COLUMNS}),
        (tfserving, {"instances": CODES}),
        (tfserving, {"instances": [{"features": row} for row in CODES]}),
        (tfserving, {"inputs": CODES}),
        (tfserving, {"inputs": {"features": CODES}}),
        (mlflow, {"instances": RECORDS}),
        (mlflow, {"inputs": COLUMNS}),
        (mlflow, {"dataframe_records": RECORDS}),
        (mlflow, {"dataframe_records": [{"features": row} for row in CODES]}),
        (mlflow, {"dataframe_split": {"columns": NAMES, "index": [0, 1, 2], "data": ROWS}}),
        (mlflow, {"dataframe_split": {"columns": ["features"], "data": [[row] for row in CODES]}}),
        (mlflow, CSV.encode()),
        (mlflow, b"\xef\xbb\xbf" + CSV.replace("\r", "").encode()),
    ],
)
def test_takes_a_table_in_every_form(protocol: InferenceProtocol, document: Any) -> None:
    kind = "text/csv" if isinstance(document, bytes) else "application/json"
    request = parse(protocol, document, TABLE, CONTENT_TYPE=kind)
    assert request.rows == 3
    assert request.inputs["features"].dtype == np.float32
    np.testing.assert_array_equal(request.inputs["features"], BATCH)


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (tfserving, {"instances": [[1, 2, 3, 4], [5, 6, 7, 8]]}),
        (tfserving, {"inputs": {"b": [2, 6], "a": [1, 5], "c": [3, 7], "d": [4, 8]}}),
        (mlflow, {"dataframe_split": {"columns": [*"abcd"], "data": [[1, 2, 3, 4], [5, 6, 7, 8]]}}),
        (mlflow, {"dataframe_split": {"columns": [*"dbca"], "data": [[4, 2, 3, 1], [8, 6, 7, 5]]}}),
    ],
)
def test_takes_numbers_alone(protocol: InferenceProtocol, document: Any) -> None:
    for _ in range(2):  # what the kernel has read once is remembered
        request = parse(protocol, document, NUMBERS)
        assert request.inputs["features"].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_columns_as_many_as_rows() -> None:
    """The kernel takes such arrays for rows."""
    columns = {name: [number] * 4 for number, name in enumerate("abcd")}
    request = parse(tfserving, {"inputs": columns}, NUMBERS)
    assert request.inputs["features"].tolist() == [[0, 1, 2, 3]] * 4


def changed(row: int, column: int, value: Any) -> list[list[Any]]:
    rows = [[*row] for row in CODES]
    rows[row][column] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(1, 0, None), "row 1, age: expected a number from 0 to 120, got nan"),
        (changed(1, 0, 121), "row 1, age: expected a number from 0 to 120, got 121"),
        (changed(2, 1, 3), "row 2, job: expected a code from 0 to 2, got 3"),
        (changed(2, 1, 0.5), "row 2, job: expected a code from 0 to 2, got 0.5"),
        (changed(2, 1, -1), "row 2, job: expected a code from 0 to 2, got -1"),
        (changed(2, 3, -2), "row 2, home city: expected a code from -1 to 1, got -2"),
        (changed(0, 2, 2), "row 0, paid: expected 0 or 1, got 2"),
        (changed(0, 4, 1e39), r"row 0, height: expected a finite float32, got 1e\+39"),
        (changed(0, 0, "x"), r"instances\[0\]\[0\]: expected a number, got a string"),
        (changed(0, 4, [1]), r"instances\[0\]\[4\]: expected a number, got an array of 1"),
    ],
)
def test_a_tensor_has_only_what_the_features_accept(rows: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(tfserving, {"instances": rows}, TABLE)


@pytest.mark.parametrize("value", [121, 1e39, -1])
def test_the_kernel_knows_the_limits(value: float) -> None:
    parse(tfserving, {"instances": [[1, 2, 3, 4], [1, 2, 3, 5]]}, NUMBERS)
    spec = NUMBERS if value < 0 else TABLE
    row = [1, 2, 3, value] if value < 0 else [value, 0, 0, 0, 0]
    with pytest.raises(BadRequest, match="row 1, "):
        parse(tfserving, {"instances": [[1, 1, 1, 1, 1][: len(row)], row]}, spec)


@pytest.mark.parametrize(
    ("protocol", "document", "message"),
    [
        (tfserving, {"instances": [RECORDS[0], {**RECORDS[1], "job": "x"}]}, r"instances\[1\].job"),
        (tfserving, {"instances": [{"features": CODES[0]}, RECORDS[1]]}, "expected the inputs fea"),
        (tfserving, {"instances": [{"age": 1}]}, r"instances\[0\]: the column job is missing"),
        (tfserving, {"inputs": {**COLUMNS, "age": 3}}, "inputs.age: expected an array, got a numb"),
        (tfserving, {"inputs": {**COLUMNS, "age": [1, "2", 3]}}, r"inputs.age\[1\]: .* got '2'"),
        (tfserving, {"inputs": {**COLUMNS, "age": [1]}}, "many values in each column, but age has"),
        (tfserving, {"inputs": {**COLUMNS, "more": [1]}}, "inputs: there is no column 'more'"),
        (mlflow, {"dataframe_records": [RECORDS[0], {"age": 1}]}, r"records\[1\]: the column job"),
        (mlflow, {"dataframe_records": [{"a": 1}]}, r"dataframe_records\[0\]: there is no column"),
        (
            mlflow,
            {"dataframe_split": {"columns": NAMES[1:], "data": [ROWS[0][1:]]}},
            "dataframe_split.columns: the column age is missing",
        ),
        (
            mlflow,
            {"dataframe_split": {"columns": [0, 1, 2, 3, 4], "data": ROWS}},
            "dataframe_split.columns: expected an array of 5 names, got an array of 5",
        ),
        (
            mlflow,
            {"dataframe_split": {"columns": NAMES, "data": [[*ROWS[0][:4], "x"]]}},
            r"dataframe_split.data\[0\].height: expected a number, got 'x'",
        ),
    ],
)
def test_says_what_is_wrong(protocol: InferenceProtocol, document: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(protocol, document, TABLE)


def test_a_column_twice_is_refused() -> None:
    body = json.dumps({"inputs": COLUMNS}).replace('"inputs": {', '"inputs": {"age": [1, 2, 3], ')
    with pytest.raises(BadRequest, match="inputs: the column age is there twice"):
        parse(tfserving, body.encode(), TABLE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CSV.replace("age", "agee"), "the first line: there is no column 'agee'"),
        (CSV.replace("age,", ""), "the first line: the column age is missing"),
        (CSV.replace("admin", "x"), r"rows\[0\].job: expected one of 'admin', .* got 'x'"),
        (CSV.replace(".5", ""), r"rows\[1\].age: expected a number, got null"),
        (CSV.replace(".5", "1_0"), r"rows\[1\].age: expected a number, got '1_0'"),
        (CSV.replace(".5", "nan"), r"rows\[1\].age: expected a number from 0 to 120, got nan"),
        (CSV.replace("-1e30", "inf"), r"rows\[2\].height: expected a finite float32, got inf"),
        (CSV.replace("True", "yes"), r"rows\[0\].paid: expected true or false, got 'yes'"),
        (CSV.replace("Ulm,39", "39"), r"rows\[0\]: expected 5 values, got 4"),
        (CSV.replace('[a]"', "[a]"), "expected CSV: unexpected end of data"),
    ],
)
def test_csv_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        parse(mlflow, text.encode(), TABLE, CONTENT_TYPE="text/csv")


def test_an_empty_text_is_a_value_where_the_vocabulary_has_it() -> None:
    texts = Feature(name="a", kind="category", values=("x", ""))
    spec = model_spec(texts, Feature(name="b", kind="number"))
    request = parse(mlflow, b"a,b\n,1\nx,2\n", spec, CONTENT_TYPE="text/csv")
    assert request.inputs["features"].tolist() == [[1, 1], [0, 2]]


@pytest.mark.parametrize(
    ("protocol", "document"),
    [
        (tfserving, {"instances": RECORDS * 2}),
        (tfserving, {"inputs": {name: cells * 2 for name, cells in COLUMNS.items()}}),
        (mlflow, {"dataframe_records": RECORDS * 2}),
        (mlflow, {"dataframe_split": {"columns": NAMES, "data": ROWS * 2}}),
        (mlflow, (CSV + CSV[CSV.index("Ulm") :]).encode()),
    ],
)
def test_rows_are_counted(protocol: InferenceProtocol, document: Any) -> None:
    kind = "text/csv" if isinstance(document, bytes) else "application/json"
    with pytest.raises(TooLarge, match="at most 4 rows"):
        parse(protocol, document, TABLE, CONTENT_TYPE=kind)
