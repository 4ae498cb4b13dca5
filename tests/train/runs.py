"""What MLflow knows of the runs in a folder."""

from pathlib import Path

import mlflow


def statuses(folder: Path) -> list[str]:
    """The status of each run."""
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'mnist'")
    return [entry.info.status for entry in client.search_runs([experiment.experiment_id])]
