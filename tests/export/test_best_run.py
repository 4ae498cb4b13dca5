"""Which run an export takes."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import mlflow
import pytest

from export.best_run import best_run
from export.errors import ExportError

Made = Callable[..., str]


@pytest.fixture
def name() -> str:
    return f"best-{secrets.token_hex(8)}"


@pytest.fixture
def made(name: str, tracked: None) -> Iterator[Made]:
    """Makes a run of an experiment: its status, parameters, and metrics."""
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(name)

    def made(status: str = "FINISHED", params: Any = None, **metrics: float) -> str:
        run_id = str(client.create_run(experiment).info.run_id)
        for key, value in (params or {}).items():
            client.log_param(run_id, key, value)
        for key, value in metrics.items():
            client.log_metric(run_id, key, value)
        client.set_terminated(run_id, status)
        return run_id

    yield made
    client.delete_experiment(experiment)


def test_best_by_accuracy_and_by_loss(made: Made, name: str) -> None:
    low = made(val_accuracy=0.90, val_loss=0.1)
    high = made(val_accuracy=0.99, val_loss=0.2)
    made()
    made("KILLED", val_accuracy=1.0, val_loss=0.0)
    made(val_accuracy=float("nan"), val_loss=float("nan"))
    assert best_run(name, "val_accuracy") == high
    assert best_run(name, None) == high
    assert best_run(name, "val_loss") == low
    assert best_run(None, None, name) == high  # the experiment that is called like the model
    with pytest.raises(ExportError, match="no finished run with the metric auc"):
        best_run(name, "auc")


def test_best_of_a_regression(made: Made, name: str) -> None:
    task = {"task": "regression"}
    near = made(params=task, val_rmse=2.0, val_r2=0.5)
    made(params=task, val_rmse=3.0, val_r2=0.4)
    assert best_run(name, None) == near
    assert best_run(name, "val_r2") == near


def params_shown(key: str, value: str) -> str:
    """The share that is shown where the validation part has another one."""
    return value if key == "validation_split" else "0.1"


SPLIT = "validated on 0.1 of it by split seed 0"


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("dataset_sha256", "2" * 64, f"data set d 222222222222, {SPLIT}, classification"),
        ("split_seed", "1", f"data set d 111111111111, {SPLIT[:-1]}1, classification"),
        ("validation_split", "0.2", f"data set d 111111111111, {SPLIT}, classification"),
        ("fold", "2/5", "data set d 111111111111, validated on fold 2/5 by split seed 0, class"),
        ("task", "regression", f"data set d 111111111111, {SPLIT}, regression"),
    ],
)
def test_refuses_runs_that_were_measured_on_something_else(
    made: Made, name: str, key: str, value: str, shown: str
) -> None:
    params = {"dataset": "d", "dataset_sha256": "1" * 64, "split_seed": "0"}
    params |= {"validation_split": "0.1", "fold": "None"}
    for one in (params, params, params | {key: value}):
        made(params=one, val_accuracy=0.9, val_loss=0.1)
    with pytest.raises(ExportError) as refused:
        best_run(name, "val_loss")
    lines = str(refused.value).splitlines()
    assert lines[:2] == [
        f"the runs of experiment {name!r} can't be compared:",
        f"  2 of data set d 111111111111, {SPLIT}, classification",
    ]
    assert lines[2].startswith(f"  1 of {shown.replace('0.1', params_shown(key, value))}")
