"""Runs of two tables, as ``python -m train`` leaves them in MLflow: small, and made in seconds."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
from numpy.typing import NDArray

from bundle.features import Feature
from tracking import artifacts

Array = NDArray[Any]
JOBS = ("admin", "nurse", "none")
PEOPLE = (
    Feature(name="age", kind="number", range=(18.0, 90.0), accepts_missing=True),
    Feature(name="job", kind="category", values=JOBS, accepts_unknown=True),
    Feature(name="owner", kind="boolean"),
)
HOUSES = (
    Feature(name="rooms", kind="number", range=(1.0, 9.0)),
    Feature(name="built", kind="number", range=(1900.0, 2020.0)),
)
ROWS, TEST = 240, 80


@dataclass(frozen=True)
class TableRun:
    """A finished run, and its test set."""

    run_id: str
    x_test: Array
    y_test: Array


def people() -> TableRun:
    """Two classes; ages are missing, and the first job with a missing age comes late."""
    random = np.random.default_rng(3)
    x = np.stack(
        [
            random.uniform(18, 90, ROWS).round(),
            random.choice(3, ROWS, p=(0.55, 0.4, 0.05)),
            random.integers(0, 2, ROWS),
        ],
        axis=1,
    ).astype(np.float32)
    y = (x[:, 0] + 30 * (x[:, 1] == 1) > 60).astype(np.int64)
    x[random.random(ROWS) < 0.1, 0] = np.nan
    return _run("people", "classification", PEOPLE, x, y, _people_network())


def _people_network() -> keras.Model:
    source = keras.Input((3,), name="features")
    age, job, owner = (source[:, place : place + 1] for place in range(3))
    missing = keras.ops.isnan(age)
    known = keras.ops.where(missing, 54.0, age)
    scaled = keras.layers.Normalization(mean=[54.0], variance=[400.0])(known)
    jobs = keras.ops.cast(keras.ops.equal(job, np.arange(3, dtype=np.float32)[None]), "float32")
    parts = [scaled, keras.ops.cast(missing, "float32"), jobs, owner]
    hidden = keras.layers.Dense(8, "relu")(keras.ops.concatenate(parts, axis=1))
    return keras.Model(source, keras.layers.Dense(2, "softmax", name="probabilities")(hidden))


def houses() -> TableRun:
    """Prices; the year is far from zero for its spread."""
    random = np.random.default_rng(4)
    x = np.stack([random.uniform(1, 9, ROWS), random.uniform(1990, 2010, ROWS)], axis=1)
    x = x.astype(np.float32)
    y = (100 * x[:, 0] + 5 * (x[:, 1] - 2000) + random.normal(0, 20, ROWS)).astype(np.float32)
    return _run("houses", "regression", HOUSES, x, y, _houses_network())


def _houses_network() -> keras.Model:
    source = keras.Input((2,), name="features")
    scaled = keras.layers.Normalization(mean=[5.0, 2000.0], variance=[5.0, 33.0])(source)
    hidden = keras.layers.Dense(8, "relu")(scaled)
    standard = keras.layers.Dense(1)(hidden)
    return keras.Model(source, keras.layers.Rescaling(230.0, 500.0, name="value")(standard))


def _run(
    name: str, task: str, features: Sequence[Feature], x: Array, y: Array, network: keras.Model
) -> TableRun:
    """Train a network and log it; the last rows are the test set."""
    keras.utils.set_random_seed(1)
    network.compile(
        keras.optimizers.Adam(0.05),
        "sparse_categorical_crossentropy" if task == "classification" else "mse",
    )
    network.fit(x[:-TEST], y[:-TEST], epochs=30, verbose=0)
    labels = ["no", "yes"] if task == "classification" else []
    metadata = {
        "task": task,
        "features": json.dumps([dataclasses.asdict(feature) for feature in features]),
        "labels": json.dumps(labels),
    }
    x_test, y_test = x[-TEST:], y[-TEST:]
    mlflow.set_experiment(name)
    with mlflow.start_run() as run:
        mlflow.log_params({"task": task, "dataset": name, "dataset_sha256": "0" * 64})
        score = "val_accuracy" if task == "classification" else "val_rmse"
        mlflow.log_metrics({score: 0.5, "test_loss": 0.25})
        mlflow.tensorflow.log_model(
            network,
            name="model",
            signature=mlflow.models.infer_signature(x[:1], network.predict(x[:1], verbose=0)),
            metadata=metadata,
            pip_requirements=["keras"],
        )
        artifacts.log_arrays(artifacts.TEST_SET, x_test=x_test, y_test=y_test)
        artifacts.log_arrays(artifacts.CALIBRATION, x_train=x[:-TEST])
    return TableRun(run.info.run_id, x_test, y_test)


def store(folder: Path, database: Path) -> None:
    """Copy a store into a folder, and make MLflow use it and keep new experiments there."""
    (folder / "mlflow.db").write_bytes(database.read_bytes())
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    for name in ("people", "houses"):
        mlflow.create_experiment(name, artifact_location=str(folder / "artifacts"))
