"""The parent run of a sweep in MLflow."""

from collections.abc import Mapping

import mlflow
from mlflow import MlflowClient

from tracking import git_commit, metrics
from train.sweep.sweep_arguments import SweepOptions

BEST_PREFIX = "best_"  # of the metric, because a sweep is not a model to be exported


def begin(wanted: SweepOptions, experiment_name: str) -> str:
    """Create the parent run in an experiment.

    Returns:
        Its id.

    """
    client = MlflowClient()
    experiment = mlflow.set_experiment(experiment_name).experiment_id
    tags = git_commit.tags() | {"sweep": wanted.study}
    run_id = str(client.create_run(experiment, run_name=wanted.study, tags=tags).info.run_id)
    client.log_param(run_id, "plan", wanted.plan.name)
    client.log_text(run_id, wanted.plan.text, f"{wanted.plan.name}.toml")
    return run_id


def mark_running(run_id: str) -> None:
    """Set its status to RUNNING, also after an interruption."""
    MlflowClient().update_run(run_id, status="RUNNING")


def mark(run_id: str, status: str) -> None:
    """Set the final status of a run."""
    MlflowClient().set_terminated(run_id, status)


def log_result(run_id: str, metric: str, best: float, importance: Mapping[str, float]) -> None:
    """Log the result of a sweep."""
    client = MlflowClient()
    client.log_metric(run_id, BEST_PREFIX + metric, best)
    for name, value in importance.items():
        client.log_metric(run_id, metrics.IMPORTANCE_PREFIX + name, value)
