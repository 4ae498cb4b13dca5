"""Which run an export takes."""

import os

import mlflow
import pytest


def test_best_by_accuracy_and_by_loss(tracked: None) -> None:
    from export import source_run
    from export.errors import ExportError

    client = mlflow.MlflowClient()
    name = f"best-{os.getpid()}"
    experiment = client.create_experiment(name)
    runs = {}
    for key, accuracy, loss, status in (
        ("low", 0.90, 0.1, "FINISHED"),
        ("high", 0.99, 0.2, "FINISHED"),
        ("unmeasured", None, None, "FINISHED"),
        ("killed", 1.0, 0.0, "KILLED"),
    ):
        runs[key] = client.create_run(experiment).info.run_id
        if accuracy is not None and loss is not None:
            client.log_metric(runs[key], "val_accuracy", accuracy)
            client.log_metric(runs[key], "val_loss", loss)
        client.set_terminated(runs[key], status)
    assert source_run.best_run(name, "val_accuracy") == runs["high"]
    assert source_run.best_run(name, "val_loss") == runs["low"]
    with pytest.raises(ExportError, match="no finished run with the metric auc"):
        source_run.best_run(name, "auc")
    client.delete_experiment(experiment)
