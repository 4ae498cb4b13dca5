"""Runs that can't be exported: a clear line each, and nothing published."""

from pathlib import Path

import mlflow
import pytest

from tests.commands import export


@pytest.fixture
def altered(
    client: mlflow.MlflowClient, run_id: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A finished run that has a test set but no model."""
    experiment = client.get_run(run_id).info.experiment_id
    made = client.create_run(experiment).info
    test_set = client.download_artifacts(run_id, "data/test.npz", str(tmp_path_factory.mktemp("t")))
    client.log_artifact(made.run_id, test_set, "data")
    client.set_terminated(made.run_id)
    return str(made.run_id)


@pytest.fixture
def running(client: mlflow.MlflowClient, run_id: str) -> str:
    """A run that has not finished."""
    return str(client.create_run(client.get_run(run_id).info.experiment_id).info.run_id)


@pytest.fixture
def foreign(client: mlflow.MlflowClient, altered: str, tmp_path: Path) -> str:
    """A finished run whose model is of another flavor."""
    from mlflow.models import Model

    Model(flavors={"python_function": {"loader_module": "elsewhere"}}).save(tmp_path / "MLmodel")
    client.log_artifact(altered, str(tmp_path / "MLmodel"), "model")
    (tmp_path / "MLmodel").unlink()
    return altered


def test_refuses_runs_without_a_model(
    work: Path, client: mlflow.MlflowClient, altered: str, running: str, tmp_path: Path
) -> None:
    to = ("--models", tmp_path)
    for arguments, message in (
        (("--run", "0123"), "export: MLflow has no run '0123'"),
        (("--run", altered), f"export: run {altered} has no model; was it made by"),
        (
            ("--run", running),
            f"export: run {running} is RUNNING; only FINISHED runs can be exported",
        ),
        (("--best", "--experiment", "none"), "export: MLflow has no experiment 'none'"),
        (
            ("--best", "auc", "--name", "mnist"),
            "export: experiment 'mnist' has no finished run with the metric auc",
        ),
    ):
        status, out, err = export(work, *arguments, *to)
        assert (status, out) == (1, "")
        assert err.startswith(message)
        assert err.count("\n") == 1
    client.delete_run(altered)
    client.delete_run(running)
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_model_that_is_not_of_keras(
    work: Path, client: mlflow.MlflowClient, foreign: str, tmp_path: Path
) -> None:
    status, _, err = export(work, "--run", foreign, "--models", tmp_path)
    assert (status, err) == (1, f"export: run {foreign}: its model is not a Keras model\n")
    client.delete_run(foreign)
