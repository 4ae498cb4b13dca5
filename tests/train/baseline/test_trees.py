"""Trees on the rows of a network."""

from pathlib import Path

import mlflow
import pytest

from export.best_run import best_run
from tests.commands import call

DATA = ("--data", "penguins", "--cache", str(Path("data").resolve()))


def test_trees_are_compared_and_never_the_best(folder: Path) -> None:
    network = call("train", *DATA, "--epochs", "2", cwd=folder)
    assert network.returncode == 0, network.stderr
    done = call("train", "baseline", *DATA, cwd=folder)
    assert done.returncode == 0, done.stderr
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    trees, other = (client.get_run(one.stdout.strip()) for one in (done, network))
    assert trees.info.experiment_id == other.info.experiment_id
    for name in ("dataset_sha256", "validation_split", "split_seed", "task"):
        assert trees.data.params[name] == other.data.params[name]
    assert trees.data.metrics["test_accuracy"] > 0.9
    validated = {name for name in other.data.metrics if name.startswith("val_")}
    tested = {name.replace("val_", "test_") for name in validated}
    assert trees.data.metrics.keys() == validated | tested | {"train_seconds"}
    assert trees.data.metrics["val_accuracy"] > other.data.metrics["val_accuracy"]
    compared = call("train", "compare", cwd=folder)
    assert "trees" in compared.stdout
    assert f"best: python -m export --run {other.info.run_id}" in compared.stderr
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    try:
        assert best_run("penguins", None) == other.info.run_id
    finally:
        mlflow.set_tracking_uri("")


@pytest.mark.parametrize(
    ("options", "trained"), [(("--data", "diabetes"), "test rmse"), (DATA, "test accuracy")]
)
def test_says_how_good_they_are(folder: Path, options: tuple[str, ...], trained: str) -> None:
    done = call("train", "baseline", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert trained in done.stderr


def test_only_options_of_the_data_are_known(folder: Path) -> None:
    done = call("train", "baseline", *DATA, "--hidden", "8", cwd=folder)
    assert done.returncode == 2
    assert "unrecognized arguments: --hidden 8" in done.stderr
