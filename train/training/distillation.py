"""Distillation: training on the probabilities of another model, the teacher.

See Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015).
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import mlflow
import tensorflow as tf

from tracking import mlflow_store
from train.data.dataset import Dataset
from train.errors import TrainError
from train.run_options import Options

Tensor = Any  # TensorFlow publishes no types


def load(run_id: str, options: Options, dataset: Dataset) -> Callable[[Tensor], Tensor]:
    """Load the model of a run, as a function from rows (N, features) to probabilities (N, classes).

    Raises:
        TrainError: there is no such run, it has no Keras model, or its data or split differ: the
            student would be validated on rows that its teacher was trained on.

    """
    mlflow_store.connect()
    with tempfile.TemporaryDirectory() as folder:
        try:
            taught = mlflow.get_run(run_id).data.params
            uri = f"runs:/{run_id}/model"
            found = Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder))
            network = keras.models.load_model(found / "data/model.keras", compile=False)
        except (*mlflow_store.STORE_ERRORS, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise TrainError(f"teacher {run_id}: no Keras model: {reason}") from None
    expected = {
        "dataset_sha256": dataset.sha256,
        "split_seed": str(options.split_seed),
        "validation_split": str(options.validation_split),
        "fold": str(options.fold),
    }
    for name, value in expected.items():
        if taught.get(name, "None") != value:
            raise TrainError(
                f"teacher {run_id}: its {name} is {taught.get(name)}, not {value}; a student must"
                " be validated on rows that its teacher was not trained on"
            )
    return lambda rows: network(rows, training=False)


def loss(temperature: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross-entropy of probabilities at a temperature, scaled so that gradients keep their size."""

    def softened(probabilities: Tensor) -> Tensor:
        return tf.math.log(probabilities + 1e-12) / temperature

    def of(teachers: Tensor, students: Tensor) -> Tensor:
        return temperature**2 * tf.nn.softmax_cross_entropy_with_logits(
            tf.nn.softmax(softened(teachers)), softened(students)
        )

    return of
