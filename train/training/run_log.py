"""Log a training run to MLflow: parameters, data sets, metrics, model, plots, rows for export."""

import contextlib
import dataclasses
import io
import json
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import mlflow
import numpy as np
import tensorflow
from mlflow.data.numpy_dataset import NumpyDataset, from_numpy
from mlflow.models import infer_signature
from numpy.typing import NDArray

from tracking import artifacts
from train.data.dataset import Dataset
from train.data.split import Part
from train.evaluation import permutation_importance, result_plots, validation_results
from train.run_options import Options, described
from train.training import figures
from train.training.training_data import TrainingData

CALIBRATION_ROWS = 500
IMPORTANCE_TABLE = "tables/importance.json"


class EpochMetrics(keras.callbacks.Callback):
    """Logs the metrics of each epoch as ``epoch/…``, apart from those of the kept weights."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Log the metrics of one epoch, counted from 1."""
        values = {f"epoch/{name}": float(value) for name, value in (logs or {}).items()}
        mlflow.log_metrics(values, step=epoch + 1)


def log_description(
    options: Options, preset: str, data: TrainingData, network: keras.Model
) -> None:
    """Log what is known before training: options, data set, number of parameters."""
    dataset = data.dataset
    settings = {"preset": preset} | described(options)
    settings |= {"dataset": dataset.name, "dataset_sha256": dataset.sha256, "task": dataset.task}
    mlflow.log_params(settings | {"parameters": str(network.count_params())})
    parts = {
        "training": data.training,
        "validation": data.validation_truth,
        "test": (dataset.x_test, dataset.y_test),
    }
    for context, part in parts.items():
        mlflow.log_input(_described(dataset, part), context=context)


def _described(dataset: Dataset, part: Part) -> NumpyDataset:
    """Describe one part of the data set for MLflow."""
    # Data that come with a library have none: their source is this program, which is the default.
    source: Any = str(dataset.source.resolve()) if dataset.source else None
    with warnings.catch_warnings():
        # MLflow knows two equivalent source types for a local path, and warns about it.
        warnings.filterwarnings("ignore", message="The specified dataset source can be")
        return from_numpy(part[0], targets=part[1], source=source, name=dataset.name)


def log_result(
    network: keras.Model,
    data: TrainingData,
    metrics: Mapping[str, float],
    history: Mapping[str, list[float]],
    predicted: NDArray[np.float32],
) -> None:
    """Log the trained model, its metrics, plots, and rows for export.

    Args:
        network: with the kept weights.
        data: that it was trained and validated on.
        metrics: of the kept weights, and ``kept_epoch``, counted from 1.
        history: metric name to its values after each epoch, as in Keras.
        predicted: the output of the network for the validation part.

    """
    dataset, (x, truth) = data.dataset, data.validation_truth
    with contextlib.redirect_stdout(
        io.StringIO()
    ):  # MLflow runs the example, and Keras shows a bar
        logged = mlflow.tensorflow.log_model(
            network,
            name="model",
            signature=infer_signature(x[:1], predicted[:1]),
            input_example=x[:2],
            metadata=_metadata(dataset),
            pip_requirements=[
                f"{module.__name__}=={module.__version__}" for module in (tensorflow, keras, np)
            ],
        )
    validated = {name: value for name, value in metrics.items() if name.startswith("val_")}
    trained = {name: metrics[name] for name in metrics.keys() - validated.keys()}
    for part, values in ((data.validation_truth, validated), (data.training, trained)):
        described = _described(dataset, part)
        mlflow.log_metrics(values, model_id=logged.model_id, dataset=described)
    drawn = figures.draw(data, history, metrics["kept_epoch"], predicted)
    if dataset.is_table:
        found = permutation_importance.measure(network, dataset, x, truth)
        columns = {key: [vars(one)[key] for one in found] for key in vars(found[0])}
        mlflow.log_table(columns, IMPORTANCE_TABLE)
        drawn["importance"] = result_plots.importance(found)
    for name, figure in drawn.items():
        mlflow.log_figure(figure, f"figures/{name}.png")
    validation_results.log(dataset, truth, predicted)
    # For export: the test set, to measure and compare models on, and rows for static quantization.
    artifacts.log_arrays(artifacts.TEST_SET, x_test=dataset.x_test, y_test=dataset.y_test)
    artifacts.log_arrays(artifacts.CALIBRATION, x_train=data.training[0][:CALIBRATION_ROWS])


def _metadata(dataset: Dataset) -> dict[str, str]:
    """What export and serving need to know of the model, as JSON texts."""
    metadata = {"task": dataset.task, "labels": json.dumps(dataset.class_names)}
    if dataset.is_table:
        features = [dataclasses.asdict(feature) for feature in dataset.features]
        return metadata | {"features": json.dumps(features)}
    return metadata | {"range": json.dumps(dataset.range)}
