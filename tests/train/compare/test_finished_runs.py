"""What is read of runs, also of odd ones."""

from collections.abc import Iterator

import mlflow
import pytest
from mlflow.entities import Metric
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tests.train.conftest import Swept
from train.compare import finished_runs, run_groups
from train.compare.compare_arguments import CompareOptions
from train.errors import TrainError


class Store:
    """An experiment of its own to make runs in."""

    def __init__(self, name: str) -> None:
        self.client = mlflow.MlflowClient()
        self.name = name
        self._experiment = self.client.create_experiment(name)

    def run(
        self,
        params: dict[str, str],
        tags: dict[str, str] | None = None,
        status: str = "FINISHED",
        **metrics: float,
    ) -> str:
        made = self.client.create_run(self._experiment, tags=tags).info.run_id
        for name, text in params.items():
            self.client.log_param(made, name, text)
        values = [Metric(name, value, 0, 0) for name, value in metrics.items()]
        self.client.log_batch(made, values)
        self.client.set_terminated(made, status)
        return str(made)

    def lines(self, *run_ids: str, metric: str = "val_accuracy") -> list[run_groups.Group]:
        wanted = CompareOptions(self.name, list(run_ids), None, 20, None, None)
        return run_groups.grouped(finished_runs.find(wanted), metric)


@pytest.fixture
def store(
    swept: Swept, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Store]:
    uri = f"sqlite:///{swept.folder}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    yield Store(request.node.name)
    mlflow.set_tracking_uri("")


def test_students_whose_teachers_differ_in_their_seeds_are_one_line(store: Store) -> None:
    one = {"val_accuracy": 0.9}
    for seed in ("0", "1"):
        teacher = store.run({"preset": "accurate", "hidden": "64", "seed": seed}, **one)
        relatives = {"teacher": f"{teacher},{teacher}", "start": teacher}
        store.run({"hidden": "8", "seed": seed} | relatives, **one)
    other = store.run({"preset": "accurate", "hidden": "32", "seed": "0"}, **one)
    store.run({"hidden": "8", "seed": "0", "teacher": other, "start": other}, **one)
    lines = store.lines()
    students = [line for line in lines if "teacher" in line.options]
    assert sorted(len(line.runs) for line in students) == [1, 2]
    assert {line.options["teacher"] for line in students} == {"accurate"}
    assert {line.options["start"] for line in students} == {"accurate"}
    assert sorted(len(line.runs) for line in lines) == [1, 1, 2, 2]


def test_a_run_that_was_cut_short_is_no_seed_of_a_whole_one(store: Store) -> None:
    options = {"hidden": "8", "seed": "0"}
    store.run(options, {"ended_after_epoch": "2"}, val_accuracy=0.5)
    store.run(options, val_accuracy=0.9)
    lines = store.lines()
    assert [line.options.get("ended_after_epoch") for line in lines] == [None, "2"]
    assert [line.values("val_accuracy") for line in lines] == [[0.9], [0.5]]


def test_runs_of_other_code_are_another_line(store: Store) -> None:
    first, second = ({"mlflow.source.git.commit": letter * 40} for letter in "ab")
    for tags in (first, first, second, second | {"git_dirty": "true"}):
        store.run({"hidden": "8"}, tags, val_accuracy=0.5)
    lines = store.lines()
    assert {line.options["commit"]: len(line.runs) for line in lines} == {
        "a" * 8: 2,
        "b" * 8: 1,
        "b" * 8 + ", changed": 1,
    }
    assert run_groups.differing(lines) == ["commit"]


def test_a_run_that_diverged_has_no_such_measure(store: Store) -> None:
    store.run({"seed": "0"}, val_accuracy=0.5, val_loss=float("nan"))
    store.run({"seed": "1"}, val_accuracy=0.7, val_loss=0.3)
    (line,) = store.lines()
    assert line.values("val_loss") == [0.3]
    assert line.values("val_accuracy") == [0.7, 0.5]


def test_runs_of_others_and_relatives_that_are_gone(store: Store) -> None:
    gone = "0" * 32
    measured = {"val_accuracy": 0.5}
    store.run({"parameters": "1.2M", "teacher": gone}, {MLFLOW_PARENT_RUN_ID: gone}, **measured)
    store.run({}, status="FINISHED", auc=0.5)
    (line,) = store.lines()
    assert line.options["teacher"] == gone
    assert line.values("parameters") == []
    assert finished_runs.importance(line.runs) == {}
    assert line.interval() is None


def test_the_folds_of_a_cross_validation_are_one_line(store: Store) -> None:
    for fold, rmse in (("1/2", 3.0), ("2/2", 5.0), ("None", 2.0)):
        params = {"fold": fold, "task": "regression", "seed": "0"}
        store.run(params, val_rmse=rmse)
    single, folds = store.lines(metric="val_rmse")
    assert (single.values("val_rmse"), folds.values("val_rmse")) == ([2.0], [3.0, 5.0])
    assert (single.options.get("folds"), folds.options["folds"]) == (None, "2")


def test_other_tasks_are_not_compared(store: Store) -> None:
    store.run({"task": "regression"}, val_rmse=1.0)
    store.run({}, val_accuracy=0.5)
    with pytest.raises(TrainError, match="different tasks: classification, regression"):
        store.lines()


def test_the_experiment_is_that_of_the_newest_run(store: Store) -> None:
    made = store.run({}, val_accuracy=0.5)
    (run,) = finished_runs.find(CompareOptions(None, [], None, 20, None, None))
    assert run.run_id == made


def test_only_finished_runs_are_compared(store: Store) -> None:
    killed = store.run({}, status="KILLED", val_accuracy=0.5)
    with pytest.raises(TrainError, match="no finished run to compare"):
        store.lines()
    with pytest.raises(TrainError, match=f"run {killed} is KILLED; only FINISHED runs can be"):
        store.lines(killed)


def test_importance_is_that_of_the_search(store: Store) -> None:
    measured = {"importance/width": 0.3, "importance/dropout": 0.7, "best_val_accuracy": 0.5}
    parent = store.run({"plan": "search"}, **measured)
    store.run({}, {MLFLOW_PARENT_RUN_ID: parent}, val_accuracy=0.5)
    (line,) = store.lines(parent)
    assert list(finished_runs.importance(line.runs).items()) == [("dropout", 0.7), ("width", 0.3)]
