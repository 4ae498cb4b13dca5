"""What MLflow knows of the runs in a folder."""

from pathlib import Path

import mlflow


def statuses(folder: Path) -> list[str]:
    """The status of each run."""
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiments = [one.experiment_id for one in client.search_experiments()]
    return [entry.info.status for entry in client.search_runs(experiments)]
