"""Whether lines of a comparison differ, by what their runs kept of each row."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from tests.train.conftest import Swept
from tracking import artifacts
from train.compare import finished_runs, run_groups, significance
from train.compare.compare_arguments import CompareOptions

ROWS = 200
PART = {"dataset_sha256": "1", "split_seed": "0", "fold": "None", "validation_split": "0.1"}
TRUTH = np.arange(ROWS) % 2


@pytest.fixture
def experiment(swept: Swept, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    mlflow.set_tracking_uri(f"sqlite:///{swept.folder}/mlflow.db")
    name = request.node.name
    mlflow.create_experiment(name, artifact_location=str(tmp_path))
    mlflow.set_experiment(name)
    yield name
    mlflow.set_tracking_uri("")


def kept(hidden: str, wrong: slice, seed: str = "0", **params: str) -> None:
    """Log a run that got some of the rows wrong."""
    predicted = TRUTH.copy()
    predicted[wrong] = 1 - predicted[wrong]
    accuracy = float((predicted == TRUTH).mean())
    with mlflow.start_run():
        mlflow.log_params({**PART, "hidden": hidden, "seed": seed, **params})
        mlflow.log_metric("val_accuracy", accuracy)
        loss = np.zeros(ROWS, np.float32)
        artifacts.log_arrays(artifacts.VALIDATION, truth=TRUTH, predicted=predicted, loss=loss)


def differences(name: str, task: str = "classification") -> dict[str, str]:
    runs = finished_runs.find(CompareOptions(name, [], None, 20, None, None))
    groups = run_groups.grouped(runs, "val_accuracy" if task == "classification" else "val_rmse")
    return {
        one.options["hidden"]: one.difference for one in significance.against_best(groups, task)
    }


def test_classes_are_compared_row_by_row(experiment: str) -> None:
    kept("best", slice(0, 4))
    kept("best", slice(0, 6), seed="1")
    kept("near", slice(0, 8))  # 4 rows that only the best gets right: p is 2 / 2^4
    kept("far", slice(0, 12), seed="1")  # its best run; 8 rows: 2 / 2^8
    kept("far", slice(0, 90))
    assert differences(experiment) == {
        "best": "best",
        "near": "no, p 0.12",
        "far": "yes, p 0.0078",
    }


def test_only_runs_of_the_same_rows_are_compared(experiment: str) -> None:
    kept("best", slice(0, 4))
    kept("seed", slice(0, 90), split_seed="1")
    kept("fold", slice(0, 90), fold="1/5")
    kept("data", slice(0, 90), dataset_sha256="2")
    kept("split", slice(0, 90), validation_split="0.2")
    with mlflow.start_run():
        mlflow.log_params({**PART, "hidden": "lost"})
        mlflow.log_metric("val_accuracy", 0.1)
    found = differences(experiment)
    assert found.pop("best") == "best"
    assert found == dict.fromkeys(("seed", "fold", "data", "split", "lost"), "–")


def test_values_are_compared_by_their_squared_errors(experiment: str) -> None:
    hard = np.random.default_rng(0).exponential(100, ROWS).astype(np.float32)
    even = np.where(TRUTH == 1, 3, -2.9).astype(np.float32)
    for hidden, rmse, loss in (("a", 1.0, hard), ("b", 2.0, hard + even), ("c", 3.0, hard + 5)):
        with mlflow.start_run():
            mlflow.log_params({**PART, "hidden": hidden, "task": "regression"})
            mlflow.log_metric("val_rmse", rmse)
            values = {"truth": hard, "predicted": hard, "loss": loss}
            artifacts.log_arrays(artifacts.VALIDATION, **values)
    found = differences(experiment, "regression")
    assert (found["a"], found["c"]) == ("best", "yes, +5 to +5")
    assert found["b"].startswith("no, -0.")


def test_a_single_line_has_nothing_to_differ_from(experiment: str) -> None:
    kept("only", slice(0, 4))
    assert differences(experiment) == {"only": ""}
