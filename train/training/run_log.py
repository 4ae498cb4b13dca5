"""Log a training run to MLflow: parameters, data sets, metrics, model, plots, rows for export."""

import contextlib
import io
import json
import warnings
from collections.abc import Mapping

import keras
import mlflow
import numpy as np
import tensorflow
from mlflow.data.numpy_dataset import NumpyDataset, from_numpy
from mlflow.models import infer_signature
from numpy.typing import NDArray

from tracking import artifacts
from train.data import datasets, mnist
from train.run_options import Options, described
from train.training import dense_network, result_plots

CALIBRATION_ROWS = 500


class EpochMetrics(keras.callbacks.Callback):
    """Logs the metrics of each epoch as ``epoch/…``, apart from those of the kept weights."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Log the metrics of one epoch, counted from 1."""
        values = {f"epoch/{name}": float(value) for name, value in (logs or {}).items()}
        mlflow.log_metrics(values, step=epoch + 1)


def log_description(
    options: Options, preset: str, dataset: datasets.Dataset, network: keras.Model
) -> None:
    """Log what is known before training: options, data set, number of parameters."""
    settings = {"preset": preset} | described(options)
    settings |= {"dataset": dataset.name, "dataset_sha256": dataset.sha256}
    mlflow.log_params(settings | {"parameters": str(network.count_params())})
    for context in ("training", "test"):
        mlflow.log_input(_described(options, dataset, context), context=context)


def _described(options: Options, dataset: datasets.Dataset, context: str) -> NumpyDataset:
    """Describe one part of the data set for MLflow."""
    source = options.data or mnist.cache_file(options.cache)
    x, y = dataset.x_train, dataset.y_train
    if context == "test":
        x, y = dataset.x_test, dataset.y_test
    with warnings.catch_warnings():
        # MLflow knows two equivalent source types for a local path, and warns about it.
        warnings.filterwarnings("ignore", message="The specified dataset source can be")
        return from_numpy(x, targets=y, source=str(source.resolve()), name=dataset.name)


def log_result(
    options: Options,
    network: keras.Model,
    dataset: datasets.Dataset,
    metrics: Mapping[str, float],
    history: Mapping[str, list[float]],
    training_images: NDArray[np.float32],
) -> None:
    """Log the trained model, its metrics, plots, and rows for export.

    Args:
        options: of the run.
        network: with the kept weights.
        dataset: that it was trained and tested on.
        metrics: of the kept weights, and ``kept_epoch``, counted from 1.
        history: metric name to its values after each epoch, as in Keras.
        training_images: in random order, without those for validation.

    """
    names = dataset.class_names
    probabilities = network.predict(
        dataset.x_test, batch_size=dense_network.EVALUATION_BATCH, verbose=0
    )
    with contextlib.redirect_stdout(
        io.StringIO()
    ):  # MLflow runs the example, and Keras shows a bar
        logged = mlflow.tensorflow.log_model(
            network,
            name="model",
            signature=infer_signature(dataset.x_test[:1], probabilities[:1]),
            input_example=dataset.x_test[:2],
            metadata={"labels": json.dumps(names), "range": json.dumps(datasets.PIXEL_RANGE)},
            pip_requirements=[
                f"{module.__name__}=={module.__version__}" for module in (tensorflow, keras, np)
            ],
        )
    test_metrics = {name: value for name, value in metrics.items() if name.startswith("test_")}
    for context, values in (
        ("test", test_metrics),
        ("training", {name: metrics[name] for name in metrics.keys() - test_metrics.keys()}),
    ):
        described = _described(options, dataset, context)
        mlflow.log_metrics(values, model_id=logged.model_id, dataset=described)
    predicted = probabilities.argmax(axis=1)
    plots = {
        "learning_curves.png": result_plots.learning_curves(history, metrics["kept_epoch"]),
        "confusion_matrix.png": result_plots.confusion_matrix(dataset.y_test, predicted, names),
        "worst_mistakes.png": result_plots.worst_mistakes(
            dataset.x_test, dataset.y_test, probabilities, names
        ),
    }
    for name, figure in plots.items():
        mlflow.log_figure(figure, f"figures/{name}")
    # For export: the test set to compare models on, and rows for static quantization.
    artifacts.log_arrays(artifacts.TEST_SET, x_test=dataset.x_test, y_test=dataset.y_test)
    artifacts.log_arrays(artifacts.CALIBRATION, x_train=training_images[:CALIBRATION_ROWS])
