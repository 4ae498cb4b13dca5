"""Rows of tables in ``POST /predict``, with plain bytes: no server, no model."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bundle.features import Feature
from serve.errors import BadRequest, ServeError, TooLarge
from serve.models.spec import ModelSpec
from serve.protocols import predict
from tests.serve.protocols.tables import (
    BATCH,
    MAYBE_NUMBERS,
    NAMES,
    NAN,
    NUMBERS,
    RECORDS,
    ROWS,
    TABLE,
    VALUE,
    model_spec,
)

ORDER = [3, 0, 4, 2, 1]


def read(document: Any, spec: ModelSpec = TABLE, max_rows: int = 4) -> NDArray[np.float32]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    request = predict.parse(body, {}, spec, max_rows)
    batch = request.inputs["features"]
    assert (request.rows, request.single) == (len(batch), False)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    return batch


@pytest.mark.parametrize(
    "document",
    [
        {"rows": RECORDS},
        {"rows": [dict(reversed(record.items())) for record in RECORDS]},
        {"rows": ROWS},
        {"columns": NAMES, "rows": ROWS},
        {"rows": [[row[i] for i in ORDER] for row in ROWS], "columns": [NAMES[i] for i in ORDER]},
        json.dumps({"rows": RECORDS}, ensure_ascii=False, indent=2).encode(),
    ],
)
def test_takes_rows_in_every_form(document: Any) -> None:
    np.testing.assert_array_equal(read(document), BATCH)


NUMBER_ROWS = [[1, 2.5, -3, 0], [2**53, 0.1, 1e-400, 5], [1, 2, 3, 4]]
SWAPPED = [[b, a, c, d] for a, b, c, d in NUMBER_ROWS]


@pytest.mark.parametrize(
    "document",
    [
        {"rows": NUMBER_ROWS},
        {"rows": NUMBER_ROWS, "columns": list("abcd")},
        {"rows": SWAPPED, "columns": list("bacd")},
        {"rows": [dict(zip("bacd", row, strict=True)) for row in SWAPPED]},
    ],
)
def test_takes_numbers_alone(document: Any) -> None:
    for _ in range(2):  # what the kernel has read once is remembered
        np.testing.assert_array_equal(read(document, NUMBERS), np.array(NUMBER_ROWS, np.float32))


@pytest.mark.parametrize("form", [list, dict])
def test_null_is_a_missing_number(form: type) -> None:
    rows = [[1, None, 3, 4], [None, None, None, None]]
    document = {"rows": [form(zip("abcd", row, strict=True)) for row in rows]}
    if form is list:
        document = {"rows": rows}
    np.testing.assert_array_equal(
        read(document, MAYBE_NUMBERS), [[1, NAN, 3, 4], [NAN, NAN, NAN, NAN]]
    )


def test_a_table_of_one_column() -> None:
    spec = model_spec(Feature(name="features", kind="category", values=("a", "b")))
    for document in ({"rows": [{"features": "b"}]}, {"rows": [["b"]]}):
        assert read(document, spec).tolist() == [[1]]


def changed(**cells: Any) -> dict[str, Any]:
    return {"rows": [RECORDS[0], RECORDS[1] | cells]}


MANY = model_spec(Feature(name="job", kind="category", values=tuple(f"job {i}" for i in range(99))))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (changed(age="x"), r"rows[1].age: expected a number, got 'x'"),
        (changed(age=None), r"rows[1].age: expected a number, got null"),
        (changed(age=True), r"rows[1].age: expected a number, got a boolean"),
        (changed(age=[1]), r"rows[1].age: expected a number, got an array of 1"),
        (changed(age={"a": 1}), r"rows[1].age: expected a number, got an object"),
        (changed(age=121), r"rows[1].age: expected a number from 0 to 120, got 121"),
        (changed(age=-0.5), r"rows[1].age: expected a number from 0 to 120, got -0.5"),
        (changed(height=1e39), r"rows[1].height: expected a finite float32, got 1e+39"),
        (changed(job="x"), "rows[1].job: expected one of 'admin', 'nurse, [a]', 'Öl', got 'x'"),
        (changed(job=""), "rows[1].job: expected one of 'admin', 'nurse, [a]', 'Öl', got ''"),
        (changed(job=1), "rows[1].job: expected a string, got a number"),
        (changed(job=None), "rows[1].job: expected a string, got null"),
        (changed(job=["admin"]), "rows[1].job: expected a string, got an array of 1"),
        (changed(paid=1), "rows[1].paid: expected true or false, got a number"),
        (changed(paid="true"), "rows[1].paid: expected true or false, got 'true'"),
        ({"rows": [{"job": "x" * 999}]}, "rows[0]: the column age is missing"),
        (changed(jobs=1), "rows[1]: there is no column 'jobs'; expected age, job, paid"),
        ({"rows": [RECORDS[0], 7]}, "rows[1]: expected an object, got a number"),
        ({"rows": [ROWS[0], 7]}, "rows[1]: expected an array of 5 values, got a number"),
        ({"rows": [ROWS[0], ROWS[1][1:]]}, "rows[1]: .* array of 5 values, got an array of 4"),
        ({"rows": [ROWS[0], RECORDS[1]]}, "rows[1]: expected an array of 5 values, got an object"),
        ({"rows": [ROWS[0], [121, *ROWS[1][1:]]]}, "rows[1].age: expected a number from 0 to 120"),
        ({"rows": []}, "at least one row"),
        ({"rows": {}}, "rows: expected an array, got an object"),
        ({"rows": None}, "rows: expected an array, got null"),
        ({"columns": NAMES[1:], "rows": ROWS}, "columns: the column age is missing"),
        ({"columns": [*NAMES, "age"], "rows": ROWS}, "columns: the column age is there twice"),
        ({"columns": ["age", *NAMES[:4]], "rows": ROWS}, "columns: the column height is missing"),
        ({"columns": ["x", *NAMES], "rows": ROWS}, "columns: there is no column 'x'"),
        ({"columns": [1, 2, 3, 4, 5], "rows": ROWS}, "columns: expected an array of 5 names"),
        ({"columns": "age", "rows": ROWS}, "columns: expected an array of 5 names, got a string"),
        ({"columns": NAMES, "rows": RECORDS}, "rows[0]: expected an array of 5 values"),
        ({"rows": ROWS, "more": 1}, "got the keys 'more, rows'"),
        ({"images": ROWS}, 'expected {"rows": [{name: value, …}, …]}'),
        (ROWS, "got an array of 3"),
        (b'{"rows": [{"age": 1, "age": 2}]}', "the column job is missing"),
        (b"\xff", "not JSON"),
        (b'{"rows": [["\\ud800"]]}', "not JSON"),
        (b'{"rows": [[NaN]]}', "not JSON"),
        (b'{"rows": [' + b"[" * 5000 + b"]" * 5000 + b"]}", "not JSON"),
    ],
)
def test_says_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(document)
    first, *rest = message.split(" .* ")
    assert first in str(caught.value)
    assert all(part in str(caught.value) for part in rest)


def test_a_record_names_each_column_once() -> None:
    twice = json.dumps(RECORDS[0]).replace('"job": "admin"', '"age": 1')
    with pytest.raises(BadRequest, match="the column job is missing"):
        read(f'{{"rows": [{twice}]}}'.encode())
    more = json.dumps(RECORDS[0]).replace('"job": "admin"', '"job": "admin", "age": 1')
    with pytest.raises(BadRequest, match="the column age is there twice"):
        read(f'{{"rows": [{more}]}}'.encode())


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([1, 2, "x", 4], r"rows\[1\].c: expected a number, got 'x'"),
        ([1, 2, None, 4], r"rows\[1\].c: expected a number, got null"),
        ([1, 2, [3], 4], r"rows\[1\].c: expected a number, got an array of 1"),
        ([1, 2, True, 4], r"rows\[1\].c: expected a number, got a boolean"),
        ([1, 2, 3, -1], r"rows\[1\].d: expected a number of at least 0, got -1"),
        ([1, 1e39, 3, 1], r"rows\[1\].b: expected a finite float32, got 1e\+39"),
    ],
)
def test_says_what_is_wrong_with_numbers(cells: list[Any], message: str) -> None:
    rows = [[1, 2, 3, 4], cells]
    documents = [
        {"rows": rows},
        {"rows": rows, "columns": list("abcd")},
        {"rows": [dict(zip("abcd", row, strict=True)) for row in rows]},
    ]
    for document in documents:
        with pytest.raises(BadRequest, match=message):
            read(document, NUMBERS)


def test_a_long_vocabulary_and_a_long_text_are_cut() -> None:
    with pytest.raises(BadRequest) as caught:
        read({"rows": [{"job": "k" * 100_000}]}, MANY)
    message = str(caught.value)
    assert message.startswith("rows[0].job: expected one of 'job 0', 'job 1', ")
    assert "… (99 in all), got 'kkk" in message
    assert len(message) < 600


def test_objects_in_the_place_of_values_do_not_become_objects_of_python() -> None:
    cell = json.dumps([[]] * 20_000)
    body = json.dumps({"rows": RECORDS}).replace("1.75", cell).encode()
    with pytest.raises(BadRequest, match="got arrays or objects"):
        read(body)


@pytest.mark.parametrize("rows", [ROWS * 2, RECORDS * 2])
def test_refuses_too_many_rows(rows: list[Any]) -> None:
    with pytest.raises(TooLarge, match="at most 4 rows in one request, got 6"):
        read({"rows": rows})


def test_random_bytes_are_refused_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    bodies = [
        json.dumps(document).encode()
        for document in ({"rows": RECORDS}, {"rows": ROWS, "columns": NAMES})
    ]
    refused = 0
    for turn in range(3000):
        body = bytearray(bodies[turn % 2])
        for _ in range(random.integers(1, 4)):
            body[random.integers(len(body))] = random.choice(list(b'[]{}",:0e-\xff tn'))
        try:
            batch = read(bytes(body))
            assert batch.shape[1] == 5
            assert TABLE.table
            assert TABLE.table.valid(batch).all()
        except ServeError:
            refused += 1
    assert 1500 < refused < 3000


def render(spec: ModelSpec, outputs: dict[str, Any]) -> Any:
    return json.loads(predict.render(predict.PredictRequest({}, 2), outputs, spec).body)


def test_answers_classes() -> None:
    scores = np.array([[0.25, 0.75], [0.5, 0.25]], np.float32)
    assert render(TABLE, {"probabilities": scores}) == {
        "predictions": [1, 0],
        "labels": ["yes", "no"],
        "probabilities": [[0.25, 0.75], [0.5, 0.25]],
        "model": "people",
        "version": 3,
    }


@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_answers_the_values_of_a_regression(shape: tuple[int, ...]) -> None:
    spec = model_spec(output=VALUE, task="regression")
    values = np.array([12.5, 0.1], np.float32).reshape(shape)
    assert render(spec, {"value": values}) == {
        "predictions": [12.5, 0.1],
        "model": "people",
        "version": 3,
    }
