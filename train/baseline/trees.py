"""Gradient-boosted trees: what most people would take for a table."""

import time
from collections.abc import Callable
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
from train.evaluation import task_metrics, validation_results
from train.reading import reader
from train.run_options import Options, described

NAME = "trees"
_MOST_CATEGORIES = 255  # that scikit-learn's trees accept


def run(options: Options) -> tuple[str, dict[str, float]]:
    """Train on the training rows, evaluate on validation and test rows, and log a run.

    The test set is evaluated because nothing else does it: trees can't be exported.

    Returns:
        The id of the run, and its metrics.

    Raises:
        CommandError: the data or MLflow can't be used.

    """
    dataset = reader.read(options)
    training, validation = split(dataset, options)
    tags = {run_session.BASELINE_TAG: NAME}
    info = RunInfo(f"{NAME}{SEED_SEPARATOR}{options.seed}", tags=tags)
    with run_session.start(options.experiment or dataset.name, info) as active:
        settings = described(options)
        known = {name: settings[name] for name in baseline_arguments.OPTIONS if name in settings}
        known |= {"dataset": dataset.name, "dataset_sha256": dataset.sha256, "task": dataset.task}
        mlflow.log_params(known | {"preset": NAME})
        began = time.monotonic()
        predict = _trained(dataset, *training, options.seed)
        found = {"train_seconds": time.monotonic() - began}
        for part, (x, y) in (("val", validation), ("test", (dataset.x_test, dataset.y_test))):
            measured = task_metrics.evaluate(dataset, y, predict(x))
            found |= {f"{part}_{name}": value for name, value in measured.items()}
        mlflow.log_metrics(found)
        validation_results.log(dataset, validation[1], predict(validation[0]))
        return str(active.info.run_id), found


def _trained(
    dataset: Dataset, x: NDArray[np.float32], y: NDArray[Any], seed: int
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Train; what it returns predicts like a network: (N, classes) or (N, 1)."""
    categories = [
        feature.kind == "category" and len(feature.values) <= _MOST_CATEGORIES
        for feature in dataset.features
    ]
    options = {"categorical_features": categories or None, "random_state": seed}
    if dataset.classes:
        classifier = HistGradientBoostingClassifier(**options).fit(x, y)
        return lambda rows: np.asarray(classifier.predict_proba(rows), np.float32)
    regressor = HistGradientBoostingRegressor(**options).fit(x, y)
    return lambda rows: np.asarray(regressor.predict(rows), np.float32)[:, None]
