"""Models of tables, and models as skl2onnx writes them, over HTTP."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.people import CLASSES, LABELS, PEOPLE_ROWS, PRICES_ROWS, probabilities, values
from tests.servers.live import Response, Server

PEOPLE = [
    {"age": 39, "job": "admin", "paid": True},
    {"age": 20, "job": "nurse", "paid": False},
    {"age": 65, "job": "other, [none]", "paid": None},
]
PRICES = [[80, 3, 2, "Bonn"], [55.5, None, 0, "Ulm"], [120, 5, 1, None]]
X = [[0.25, 0.5, 0.25], [0.75, 0.25, 0]]


@pytest.fixture(scope="module")
def tables(table_repository: Path) -> Iterator[Server]:
    with Server("--models", str(table_repository), "--workers", "1") as running:
        yield running


def post(server: Server, path: str, document: Any, **headers: str) -> Response:
    body = document if isinstance(document, bytes) else json.dumps(document)
    return server.request("POST", path, body, {**headers})


def near(expected: Any) -> Any:
    return pytest.approx(np.ravel(expected).tolist(), abs=1e-6)


def test_classes_by_names(tables: Server) -> None:
    expected = probabilities(PEOPLE_ROWS)
    for document in (
        {"rows": PEOPLE},
        {
            "columns": ["job", "paid", "age"],
            "rows": [[row["job"], row["paid"], row["age"]] for row in PEOPLE],
        },
    ):
        answer = post(tables, "/predict?model=people", document)
        assert answer.status == 200, answer.body
        found = answer.json()
        assert np.ravel(found.pop("probabilities")).tolist() == near(expected)
        classes = expected.argmax(axis=1).tolist()
        labels = [LABELS[number] for number in classes]
        assert found == {
            "predictions": classes,
            "labels": labels,
            "model": "people",
            "version": 1,
        }
    assert len(set(classes)) == 2


def test_values_by_names(tables: Server) -> None:
    names = ["area", "rooms", "floor", "city"]
    rows = [dict(zip(names, row, strict=True)) for row in PRICES]
    for document in ({"rows": rows}, {"rows": PRICES}):
        found = post(tables, "/predict?model=prices", document).json()
        assert found.pop("predictions") == near(values(PRICES_ROWS))
        assert found == {"model": "prices", "version": 1}
    unknown = post(tables, "/predict?model=prices", {"rows": [[80, 3, 2, "Rome"]]})
    assert unknown.json()["predictions"] == [84]  # -1 stands for Rome


def test_other_protocols_answer_the_same(tables: Server) -> None:
    expected = probabilities(PEOPLE_ROWS)
    for path, document, key in (
        ("/v1/models/people:predict", {"instances": PEOPLE}, "predictions"),
        ("/invocations?model=people", {"dataframe_records": PEOPLE}, "predictions"),
    ):
        assert np.ravel(post(tables, path, document).json()[key]).tolist() == near(expected)
    example = tables.request("GET", "/v2/models/people/example").json()
    assert example["inputs"][0]["data"][-1] is None
    (output,) = post(tables, "/v2/models/people/infer", example).json()["outputs"]
    assert output["data"] == near(expected)


def test_an_error_names_row_and_column(tables: Server) -> None:
    answer = post(tables, "/predict?model=people", {"rows": [PEOPLE[0], PEOPLE[1] | {"age": 121}]})
    assert answer.status == 400
    assert answer.json() == {"error": "rows[1].age: expected a number from 0 to 120, got 121"}


def test_metadata_describes_the_features(tables: Server) -> None:
    metadata = tables.request("GET", "/v2/models/people").json()
    assert metadata["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 3]}]
    assert metadata["task"] == "classification"
    assert metadata["features"] == [
        {"name": "age", "kind": "number", "range": [17, 90], "limits": [0, 120]},
        {"name": "job", "kind": "category", "values": ["admin", "nurse", "other, [none]"]},
        {"name": "paid", "kind": "boolean", "accepts_missing": True},
    ]
    assert not {"features", "task"} & metadata["provenance"].keys()
    other = tables.request("GET", "/v2/models/fitted").json()
    assert not {"features", "task"} & other.keys()


def test_labels_of_skl2onnx(tables: Server) -> None:
    for document in ({"images": X}, {"image": X[0]}):
        numbered = post(tables, "/predict?model=numbered", document).json()
        named = post(tables, "/predict?model=named", document).json()
        if "images" in document:
            assert (numbered["predictions"], "labels" in numbered) == ([8, 7], False)
            assert (named["predictions"], named["labels"]) == ([1, 0], [CLASSES[1], CLASSES[0]])
            assert numbered["probabilities"] == named["probabilities"] == X
        else:
            assert numbered == {"prediction": 8, "probabilities": X[:1]}
            assert named == {"prediction": 1, "label": CLASSES[1], "probabilities": X[:1]}


def test_values_of_skl2onnx(tables: Server) -> None:
    found = post(tables, "/predict?model=fitted", {"images": X}).json()
    assert found == {"predictions": [1, 1], "model": "fitted", "version": 1}
    assert post(tables, "/predict?model=fitted", {"image": X[0]}).json() == {"prediction": 1}


def test_texts_in_the_answers_of_other_protocols(tables: Server) -> None:
    labels = [CLASSES[1], CLASSES[0]]
    found = post(tables, "/v1/models/named:predict", {"instances": X}).json()["predictions"]
    assert [row["label"] for row in found] == labels
    found = post(tables, "/invocations?model=named", {"inputs": X}).json()["predictions"]
    assert found == {"label": labels, "probabilities": X}
    tensor = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": X}
    outputs = post(tables, "/v2/models/named/infer", {"inputs": [tensor]}).json()["outputs"]
    assert outputs[0] == {"name": "label", "datatype": "BYTES", "shape": [2], "data": labels}
    wish = {"inputs": [tensor], "outputs": [{"name": "label", "parameters": {"binary_data": True}}]}
    answer = post(tables, "/v2/models/named/infer", wish)
    length = int(answer.headers["Inference-Header-Content-Length"])
    texts = [struct.pack("<I", len(label)) + label.encode() for label in labels]
    assert answer.body[length:] == b"".join(texts)
    metadata = tables.request("GET", "/v2/models/named").json()
    assert metadata["outputs"][0] == {"name": "label", "datatype": "BYTES", "shape": [-1]}
    config = tables.request("GET", "/v2/models/named/config").json()
    assert config["output"][0] == {"name": "label", "data_type": "TYPE_STRING", "dims": []}


def test_a_sequence_of_maps_is_not_served(tables: Server) -> None:
    index = tables.request("POST", "/v2/repository/index").json()
    (reason,) = (entry["reason"] for entry in index if entry["name"] == "zipmap")
    assert reason.startswith("zipmap/1: probabilities is a seq(map(string,tensor(float)))")
    assert reason.endswith('skl2onnx writes a tensor instead with options={"zipmap": False}')
