"""Gradient-boosted trees: what most people would take for a table."""

import time
from typing import Any

import mlflow
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from tracking import run_session
from tracking.run_session import SEED_SEPARATOR, RunInfo
from train.baseline import baseline_arguments
from train.data.dataset import Dataset
from train.data.split import split
from train.reading import reader
from train.run_options import Options, described
from train.training import evaluation

NAME = "trees"
_MOST_CATEGORIES = 255  # that scikit-learn's trees accept


def run(options: Options) -> tuple[str, dict[str, float]]:
    """Train on the training rows, evaluate on the test set, and log a run.

    Returns:
        The id of the run, and its metrics.

    Raises:
        CommandError: the data or MLflow can't be used.

    """
    dataset = reader.read(options)
    training, _ = split(dataset, options)
    info = RunInfo(f"{NAME}{SEED_SEPARATOR}{options.seed}")
    with run_session.start(options.experiment or dataset.name, info) as active:
        settings = described(options)
        known = {name: settings[name] for name in baseline_arguments.OPTIONS if name in settings}
        known |= {"dataset": dataset.name, "dataset_sha256": dataset.sha256, "task": dataset.task}
        mlflow.log_params(known | {"preset": NAME})
        began = time.monotonic()
        predicted = _predict(dataset, *training, options.seed)
        found = {"train_seconds": time.monotonic() - began}
        measured = evaluation.evaluate(dataset, dataset.y_test, predicted)
        found |= {f"test_{name}": value for name, value in measured.items()}
        mlflow.log_metrics(found)
        return str(active.info.run_id), found


def _predict(
    dataset: Dataset, x: NDArray[np.float32], y: NDArray[Any], seed: int
) -> NDArray[np.float32]:
    """Train, and predict the test set like a network: (N, classes) or (N, 1)."""
    categories = [
        feature.kind == "category" and len(feature.values) <= _MOST_CATEGORIES
        for feature in dataset.features
    ]
    options = {"categorical_features": categories or None, "random_state": seed}
    if dataset.classes:
        classifier = HistGradientBoostingClassifier(**options).fit(x, y)
        probabilities: NDArray[np.float32] = classifier.predict_proba(dataset.x_test)
        return probabilities
    values: NDArray[np.float32] = (
        HistGradientBoostingRegressor(**options).fit(x, y).predict(dataset.x_test)
    )
    return values[:, None]
