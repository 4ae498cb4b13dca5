"""One training run, from data to a logged model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import mlflow
import tensorflow
from rich.console import Console
from rich.table import Table

from train import batches, data, mnist, model, record, teacher, tracking
from train.fit import Lesson, fit
from train.options import Options
from train.split import split
from train.state import State


def begin(options: Options, preset: str, console: Console) -> str:
    """Train, measure and log one model as ``options`` say.

    The weights of the epoch with the best validation accuracy are kept. The test set is
    measured once, with those weights, and decides nothing.

    Args:
        options: of the run.
        preset: that they come from, for the record.
        console: for people.

    Returns:
        The id of the MLflow run.

    Raises:
        TrainError: the data or MLflow can't be used; no run is left behind by bad data.

    """
    dataset = _read(options, console)
    lesson = _lesson(options, dataset)
    with tracking.run(options.experiment) as active:
        state = State(options.checkpoints, active.info.run_id)
        state.begin(options)
        console.print(f"run {active.info.run_id} on {dataset.name}", highlight=False)
        network = _network(options, dataset)
        record.description(options, preset, dataset, network)
        _finish(network, dataset, lesson, options, state, console)
    return str(active.info.run_id)


def resume(run_id: str, checkpoints: Path, console: Console) -> str:
    """Go on with a run that was killed, from its last whole epoch.

    Raises:
        TrainError: nothing of it is left, or its data can't be read any more.

    """
    state = State(checkpoints, run_id)
    options = state.options()
    dataset = _read(options, console)
    lesson = _lesson(options, dataset)
    with tracking.resumed(run_id):
        console.print(f"run {run_id} goes on, on {dataset.name}", highlight=False)
        _finish(_network(options, dataset), dataset, lesson, options, state, console)
    return run_id


def _read(options: Options, console: Console) -> data.Dataset:
    with console.status("reading the data"):
        dataset = data.read(options.data) if options.data else mnist.load(options.cache)
        if options.labels:
            dataset = data.named(dataset, data.read_labels(options.labels), options.labels)
        return dataset


def _lesson(options: Options, dataset: data.Dataset) -> Lesson:
    """What the network learns from."""
    training, held = split(dataset, options)
    judges = held
    if options.learns_probabilities:
        training, judges = (
            (images, keras.utils.to_categorical(labels, dataset.classes))
            for images, labels in (training, held)
        )
    teach = teacher.load(options.teacher, dataset.classes) if options.teacher else None
    return Lesson(training, judges, held, teach)


def _network(options: Options, dataset: data.Dataset) -> keras.Model:
    keras.utils.set_random_seed(options.seed)
    if options.deterministic:
        tensorflow.config.experimental.enable_op_determinism()
    return model.build(options, dataset.classes)


def _finish(
    network: keras.Model,
    dataset: data.Dataset,
    lesson: Lesson,
    options: Options,
    state: State,
    console: Console,
) -> None:
    """Do what is left of a run: train, measure, log."""
    model.compile_to_train(network, options, batches.steps(len(lesson.training[0]), options))
    progress = fit(network, lesson, options, state, console)
    model.compile_to_measure(network)
    metrics = {"train_seconds": progress.seconds, "best_epoch": float(progress.best_epoch)}
    metrics |= _evaluate(network, "val", *lesson.held)
    metrics |= _evaluate(network, "test", dataset.x_test, dataset.y_test)
    record.result(network, dataset, metrics, progress.history)
    if progress.epoch < options.epochs:
        mlflow.set_tag("ended_after_epoch", progress.epoch)
    state.remove()
    console.print(_summary(network, metrics))


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
