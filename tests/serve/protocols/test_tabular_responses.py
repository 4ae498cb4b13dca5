"""What TensorFlow Serving's and MLflow's protocols answer, with plain bytes."""

import json

import numpy as np
import pytest

from serve.errors import BadRequest, Unsupported
from serve.protocols import mlflow, tfserving
from tests.serve.protocols.tabular_requests import COLUMNS, NAMED_ROWS, ONE, ROWS, THREE, parse

OUTPUTS = {
    "scores": np.array([[0.25, 0.75], [0.5, 0.5]], np.float32),
    "class": np.array([1, 2**60]),
}


def test_an_output_without_rows_goes_in_columns_alone() -> None:
    total = {"total": np.array(3.5, np.float32)}
    columns = parse(tfserving, {"inputs": ROWS})
    assert json.loads(tfserving.render(columns, total, ONE).body) == {"outputs": 3.5}
    assert json.loads(mlflow.render(columns, total, ONE).body) == {"predictions": 3.5}
    with pytest.raises(Unsupported, match="output total has no rows"):
        tfserving.render(parse(tfserving, {"instances": ROWS}), total, ONE)


def test_tfserving_answers_in_rows_and_columns() -> None:
    one = {"scores": OUTPUTS["scores"]}
    for document, model_spec, outputs, expected in (
        ({"instances": ROWS[:2]}, ONE, one, {"predictions": [[0.25, 0.75], [0.5, 0.5]]}),
        ({"inputs": ROWS[:2]}, ONE, one, {"outputs": [[0.25, 0.75], [0.5, 0.5]]}),
        (
            {"instances": NAMED_ROWS},
            THREE,
            OUTPUTS,
            {
                "predictions": [
                    {"scores": [0.25, 0.75], "class": 1},
                    {"scores": [0.5, 0.5], "class": 2**60},
                ]
            },
        ),
        (
            {"inputs": COLUMNS},
            THREE,
            OUTPUTS,
            {"outputs": {"scores": [[0.25, 0.75], [0.5, 0.5]], "class": [1, 2**60]}},
        ),
    ):
        answer = tfserving.render(parse(tfserving, document, model_spec), outputs, model_spec)
        assert json.loads(answer.body) == expected


def test_mlflow_answers_with_predictions() -> None:
    request = parse(mlflow, {"inputs": ROWS[:2]})
    one = mlflow.render(request, {"scores": OUTPUTS["scores"]}, ONE)
    assert json.loads(one.body) == {"predictions": [[0.25, 0.75], [0.5, 0.5]]}
    several = mlflow.render(request, OUTPUTS, THREE)
    assert json.loads(several.body) == {
        "predictions": {"scores": [[0.25, 0.75], [0.5, 0.5]], "class": [1, 2**60]}
    }


def test_each_refuses_in_its_own_form() -> None:
    error = BadRequest("no")
    assert json.loads(tfserving.refuse(error)) == {"error": "no"}
    assert json.loads(mlflow.refuse(error)) == {"error_code": "BAD_REQUEST", "message": "no"}
