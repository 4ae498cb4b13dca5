"""What a training run leaves in MLflow."""

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

from tracking import artifacts
from train.data import datasets, mnist
from train.run_options import Options, described
from train.training import dense_network, result_plots

CALIBRATION_ROWS = 500


class EpochMetrics(keras.callbacks.Callback):
    """Logs each epoch's metrics under ``epoch/``, apart from those of the model that is kept."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Log the metrics of one epoch, counted from 1."""
        values = {f"epoch/{name}": float(value) for name, value in (logs or {}).items()}
        mlflow.log_metrics(values, step=epoch + 1)


def description(
    options: Options, preset: str, dataset: datasets.Dataset, network: keras.Model
) -> None:
    """Log what is known before training: parameters, data set, size of the network."""
    settings = {"preset": preset} | described(options)
    settings |= {"dataset": dataset.name, "dataset_sha256": dataset.sha256}
    mlflow.log_params(settings | {"parameters": str(network.count_params())})
    for context in ("training", "test"):
        mlflow.log_input(_described(options, dataset, context), context=context)


def _described(options: Options, dataset: datasets.Dataset, context: str) -> NumpyDataset:
    """A part of the data set as MLflow knows it."""
    source = options.data or mnist.cache_file(options.cache)
    x, y = dataset.x_train, dataset.y_train
    if context == "test":
        x, y = dataset.x_test, dataset.y_test
    with warnings.catch_warnings():
        # MLflow has two equal readings of a local path, and says so every time.
        warnings.filterwarnings("ignore", message="The specified dataset source can be")
        return from_numpy(x, targets=y, source=str(source.resolve()), name=dataset.name)


def result(
    options: Options,
    network: keras.Model,
    dataset: datasets.Dataset,
    metrics: Mapping[str, float],
    history: Mapping[str, list[float]],
) -> None:
    """Log what training gave: the model, its metrics, the figures, and rows for export.

    Args:
        options: of the run.
        network: with the weights that are kept.
        dataset: what it was trained and tested on.
        metrics: of the kept weights, and ``kept_epoch``, counted from 1.
        history: metric name to its value after each epoch, as Keras gives it.

    """
    labels = dataset.labels
    probabilities = network.predict(
        dataset.x_test, batch_size=dense_network.EVALUATION_BATCH, verbose=0
    )
    with contextlib.redirect_stdout(io.StringIO()):  # MLflow runs the example, with Keras's bar
        logged = mlflow.tensorflow.log_model(
            network,
            name="model",
            signature=infer_signature(dataset.x_test[:1], probabilities[:1]),
            input_example=dataset.x_test[:2],
            metadata={"labels": json.dumps(labels), "range": json.dumps(datasets.PIXEL_RANGE)},
            pip_requirements=[
                f"{module.__name__}=={module.__version__}" for module in (tensorflow, keras, np)
            ],
        )
    of_test = {name: value for name, value in metrics.items() if name.startswith("test_")}
    for context, values in (
        ("test", of_test),
        ("training", {name: metrics[name] for name in metrics.keys() - of_test.keys()}),
    ):
        described = _described(options, dataset, context)
        mlflow.log_metrics(values, model_id=logged.model_id, dataset=described)
    predicted = probabilities.argmax(axis=1)
    pages = {
        "learning_curves.png": result_plots.learning_curves(history, metrics["kept_epoch"]),
        "confusion_matrix.png": result_plots.confusion_matrix(dataset.y_test, predicted, labels),
        "worst_mistakes.png": result_plots.worst_mistakes(
            dataset.x_test, dataset.y_test, probabilities, labels
        ),
    }
    for name, figure in pages.items():
        mlflow.log_figure(figure, f"figures/{name}")
    # Export proves parity on the one and scales integers by the other, wherever that runs.
    artifacts.log_arrays(artifacts.TEST_SET, x_test=dataset.x_test, y_test=dataset.y_test)
    rows = np.random.default_rng(options.seed).permutation(len(dataset.x_train))
    artifacts.log_arrays(artifacts.CALIBRATION, x_train=dataset.x_train[rows[:CALIBRATION_ROWS]])
