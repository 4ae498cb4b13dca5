"""The MLflow run that a model is exported from, and what export needs of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.entities import Run
from mlflow.models import Model
from numpy.typing import NDArray

from bundle.features import Feature
from bundle.manifest import TASKS
from export.errors import ExportError
from tracking import artifacts, mlflow_store


@dataclass(frozen=True)
class SourceRun:
    """A finished run: its model on disk, its test set, and their metadata."""

    run_id: str
    experiment_id: str
    keras_file: Path
    folder: Path
    """Where artifacts of the run are downloaded to."""
    x_test: NDArray[np.float32]
    """Shape (N, features); NaN where a value is missing."""
    y_test: NDArray[Any]
    """Shape (N,): int64 class indices, or the float32 values of a regression."""
    task: str
    """One of ``bundle.manifest.TASKS``."""
    features: tuple[Feature, ...]
    """The columns of a table; empty for images."""
    metadata: Mapping[str, str]
    """Of the Keras model in MLflow."""
    class_names: tuple[str, ...]
    range: tuple[float, float] | None
    """Lowest and highest value of a pixel, if the model declares them."""
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    git_commit: str | None

    def calibration(self) -> NDArray[np.float32]:
        """Download some rows of the training set, shape (N, features).

        Raises:
            ExportError: the run has none.

        """
        file = _download(self.run_id, artifacts.CALIBRATION, self.folder)
        (rows,) = _arrays(self.run_id, file, "x_train")
        return rows.astype(np.float32)


def connect() -> None:
    """Connect to the MLflow store that training used; export never creates one."""
    if lack := mlflow_store.missing():
        raise ExportError(lack)
    mlflow_store.connect()


def load(run_id: str, folder: Path) -> SourceRun:
    """Download the model and the test set of a run into ``folder``.

    Raises:
        ExportError: there is no such run, it has not finished, or it has no Keras model.

    """
    try:
        run = mlflow.get_run(run_id)
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(
            f"MLflow has no run {run_id!r}: {mlflow_store.first_line(error)}"
        ) from None
    if run.info.status != "FINISHED":
        raise ExportError(f"run {run_id} is {run.info.status}; only FINISHED runs can be exported")
    model_folder = _download(run_id, "model", folder)
    test_file = _download(run_id, artifacts.TEST_SET, folder)
    return _source(run, folder, model_folder, test_file)


def _source(run: Run, folder: Path, model_folder: Path, test_file: Path) -> SourceRun:
    try:
        model = Model.load(str(model_folder))
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(f"run {run.info.run_id}: {mlflow_store.first_line(error)}") from None
    flavor = model.flavors.get("tensorflow", {})
    keras_file = model_folder / flavor.get("data", "data") / "model.keras"
    if not keras_file.is_file():
        raise ExportError(f"run {run.info.run_id}: its model is not a Keras model")
    metadata = model.metadata or {}
    low_high = json.loads(metadata.get("range", "null"))
    task = metadata.get("task", "classification")
    x_test, y_test = _arrays(run.info.run_id, test_file, "x_test", "y_test")
    return SourceRun(
        run_id=run.info.run_id,
        experiment_id=run.info.experiment_id,
        keras_file=keras_file,
        folder=folder,
        x_test=x_test.astype(np.float32),
        y_test=y_test.astype(np.float32 if task == "regression" else np.int64),
        task=task,
        features=_features(run.info.run_id, task, metadata),
        metadata=metadata,
        class_names=tuple(json.loads(metadata.get("labels", "[]"))),
        range=None if low_high is None else (low_high[0], low_high[1]),
        metrics=run.data.metrics,
        params=run.data.params,
        git_commit=run.data.tags.get("mlflow.source.git.commit"),
    )


def _features(run_id: str, task: str, metadata: Mapping[str, str]) -> tuple[Feature, ...]:
    """Read the features, and refuse what this version of export does not know."""
    if task not in TASKS:
        raise ExportError(f"run {run_id}: task {task!r}; expected {' or '.join(TASKS)}")
    try:
        return tuple(Feature(**one) for one in json.loads(metadata.get("features", "[]")))
    except (TypeError, ValueError) as error:
        raise ExportError(f"run {run_id}: its features can't be read: {error}") from None


def _arrays(run_id: str, file: Path, *names: str) -> list[NDArray[Any]]:
    try:
        return artifacts.read_arrays(file, *names)
    except ValueError as error:
        raise ExportError(f"run {run_id}: {error}") from None


def _download(run_id: str, artifact: str, folder: Path) -> Path:
    uri = f"runs:/{run_id}/{artifact}"
    try:
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder)))
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(
            f"run {run_id} has no {artifact}; was it made by `python -m train`?"
            f" ({mlflow_store.first_line(error)})"
        ) from None
