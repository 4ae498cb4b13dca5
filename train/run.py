"""One training run, from data to a logged model."""

import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from train import data, mnist, model, record, tracking
from train.errors import TrainError
from train.options import Options
from train.progress import ProgressBar


def train(options: Options, console: Console) -> str:
    """Train, measure and log one model as ``options`` say.

    The weights of the epoch with the best validation accuracy are kept. The test set is
    measured once, with those weights, and decides nothing.

    Returns:
        The id of the MLflow run.

    Raises:
        TrainError: the data or MLflow can't be used; no run is left behind by bad data.

    """
    with console.status("reading the data"):
        dataset = data.read(options.data) if options.data else mnist.load(options.cache)
    training, validation = _split(dataset, options)
    with tracking.run(options.experiment) as active:
        console.print(f"run {active.info.run_id} on {dataset.name}", highlight=False)
        keras.utils.set_random_seed(options.seed)
        network = model.build(options, dataset.classes)
        record.description(options, dataset, network)
        started = time.monotonic()
        history, best_epoch = _fit(network, training, validation, options, console)
        metrics: dict[str, float] = {"train_seconds": time.monotonic() - started}
        metrics |= _evaluate(network, "val", *validation)
        metrics |= _evaluate(network, "test", dataset.x_test, dataset.y_test)
        metrics["best_epoch"] = best_epoch + 1
        record.result(network, dataset, metrics, history)
    console.print(_summary(network, metrics))
    return str(active.info.run_id)


def _split(dataset: data.Dataset, options: Options) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """(images, labels) to train on, and to validate with: a random part, fixed by the seed."""
    order = np.random.default_rng(options.seed).permutation(len(dataset.x_train))
    held = max(1, round(len(order) * options.validation_split))
    if held >= len(order):
        raise TrainError(
            f"{len(order)} training images leave none to train on beside a validation part of"
            f" {options.validation_split:.0%}"
        )
    validation, training = order[:held], order[held:]
    x, y = dataset.x_train, dataset.y_train
    return (x[training], y[training]), (x[validation], y[validation])


def _fit(
    network: keras.Model,
    training: tuple[Any, Any],
    validation: tuple[Any, Any],
    options: Options,
    console: Console,
) -> tuple[Mapping[str, list[float]], int]:
    # Patience as long as the training: it never stops early, it only brings back the best.
    keep_best = keras.callbacks.EarlyStopping(
        "val_accuracy", mode="max", patience=options.epochs, restore_best_weights=True
    )
    with ProgressBar(console) as bar:
        history = network.fit(
            *training,
            validation_data=validation,
            epochs=options.epochs,
            batch_size=options.batch_size,
            validation_batch_size=model.EVALUATION_BATCH,
            callbacks=[keep_best, record.EpochMetrics(), bar],
            verbose=0,
        )
    return history.history, keep_best.best_epoch


def _evaluate(network: keras.Model, part: str, x: Any, y: Any) -> dict[str, float]:
    result = network.evaluate(x, y, batch_size=model.EVALUATION_BATCH, verbose=0, return_dict=True)
    return {f"{part}_{name}": float(value) for name, value in result.items()}


def _summary(network: keras.Model, metrics: Mapping[str, float]) -> Table:
    table = Table("measure", "value", title="Trained", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("parameters", f"{network.count_params():,}")
    table.add_row("kept epoch (best validation)", f"{metrics['best_epoch']:.0f}")
    table.add_row("training time", f"{metrics['train_seconds']:.1f} s")
    for part, name in (("val", "validation"), ("test", "test")):
        table.add_row(f"{name} accuracy", f"{metrics[f'{part}_accuracy']:.2%}")
        table.add_row(f"{name} loss", f"{metrics[f'{part}_loss']:.4f}")
    return table
