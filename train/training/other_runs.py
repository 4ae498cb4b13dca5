"""Models of other runs that a run learns from: its teachers, and the one that it starts from."""

import itertools
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
from train.network import dense_form
from train.run_options import Options

Tensor = Any  # TensorFlow publishes no types


def teachers(options: Options, dataset: Dataset) -> Callable[[Tensor], Tensor] | None:
    """Load the teachers, as a function from rows (N, features) to probabilities (N, classes).

    With several teachers, each answers a part of the rows, so that together they compute as much
    as one. Every epoch shuffles the rows, so a network learns the mean of all teachers.

    Returns:
        None if there are none.

    Raises:
        TrainError: there is no such run, it has no Keras model, or its data or split differ.

    """
    networks = [_load("teacher", run_id, options, dataset) for run_id in options.teacher]
    if not networks:
        return None

    def probabilities(rows: Tensor) -> Tensor:
        ends = [tf.shape(rows)[0] * number // len(networks) for number in range(len(networks) + 1)]
        parts = zip(networks, itertools.pairwise(ends), strict=True)
        return tf.concat(
            [network(rows[first:end], training=False) for network, (first, end) in parts], 0
        )

    return probabilities


def set_start(network: keras.Model, run_id: str, options: Options, dataset: Dataset) -> None:
    """Give the network the weights of the run that it starts from, written out as dense layers.

    Args:
        network: of dense layers only, without batch normalization.
        run_id: of the run.
        options: of this run.
        dataset: images.

    Raises:
        TrainError: there is no such run, it has no Keras model, its data or split differ, or its
            layers have other sizes.

    """
    weights = dense_form.write_out(_load("start", run_id, options, dataset))
    *hidden, output = (len(bias) for _, bias in weights)
    if tuple(hidden) != options.hidden:
        raise TrainError(
            f"start {run_id}: its hidden layers have {','.join(map(str, hidden))} units, not"
            f" {','.join(map(str, options.hidden))}; set --hidden to them"
        )
    if output != dataset.classes:
        raise TrainError(f"start {run_id}: it knows {output} classes, not {dataset.classes}")
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    for layer, (kernel, bias) in zip(dense, weights, strict=True):
        layer.set_weights([kernel, bias])


def _load(what: str, run_id: str, options: Options, dataset: Dataset) -> keras.Model:
    """Load the model of a run that was trained on the same rows.

    Raises:
        TrainError: there is no such run, it has no Keras model, or its data or split differ: this
            run would be validated on rows that the other one was trained on.

    """
    mlflow_store.connect()
    with tempfile.TemporaryDirectory() as folder:
        try:
            params = mlflow.get_run(run_id).data.params
            uri = f"runs:/{run_id}/model"
            found = Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder))
            network = keras.models.load_model(found / "data/model.keras", compile=False)
        except (*mlflow_store.STORE_ERRORS, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise TrainError(f"{what} {run_id}: no Keras model: {reason}") from None
    expected = {
        "dataset_sha256": dataset.sha256,
        "split_seed": str(options.split_seed),
        "validation_split": str(options.validation_split),
        "fold": str(options.fold),
    }
    for name, value in expected.items():
        if params.get(name, "None") != value:
            raise TrainError(
                f"{what} {run_id}: its {name} is {params.get(name)}, not {value}; a run must"
                f" be validated on rows that its {what} was not trained on"
            )
    return network
