"""The MLflow run that a sweep's runs are below."""

from collections.abc import Mapping

import mlflow
from mlflow import MlflowClient

from tracking import git_commit, metrics
from train.sweep.sweep_arguments import Sweep

BEST = "best_val_accuracy"  # not val_accuracy: a sweep is no model that could be the best one


def begin(wanted: Sweep) -> str:
    """Make it.

    Returns:
        Its id.

    """
    client = MlflowClient()
    experiment = mlflow.set_experiment(wanted.options.experiment).experiment_id
    tags = git_commit.tags() | {"sweep": wanted.study}
    run_id = str(client.create_run(experiment, run_name=wanted.study, tags=tags).info.run_id)
    client.log_param(run_id, "plan", wanted.plan.name)
    client.log_text(run_id, wanted.plan.text, f"{wanted.plan.name}.toml")
    return run_id


def goes_on(run_id: str) -> None:
    """Have MLflow show that it is at work, also where it had been stopped."""
    MlflowClient().update_run(run_id, status="RUNNING")


def mark(run_id: str, status: str) -> None:
    """Have MLflow show how a run ended."""
    MlflowClient().set_terminated(run_id, status)


def result(run_id: str, best: float, importance: Mapping[str, float]) -> None:
    """Log what came of it."""
    client = MlflowClient()
    client.log_metric(run_id, BEST, best)
    for name, value in importance.items():
        client.log_metric(run_id, metrics.IMPORTANCE_PREFIX + name, value)
