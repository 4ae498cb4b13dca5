"""One training run, from data to a logged model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import mlflow
import tensorflow
from rich.table import Table

from cli import class_names
from tracking import run_session
from tracking.run_session import Pruned, RunInfo
from train.data import batches, datasets, mnist
from train.data.split import split
from train.run_options import Options
from train.training import dense_network, distillation, run_log
from train.training.checkpoint import State
from train.training.fit import Lesson, fit
from train.training.progress_bar import Display


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    run_id: str
    parameters: int
    metrics: Mapping[str, float]
    """Of the kept weights, and ``kept_epoch`` and ``train_seconds``."""
    is_interrupted: bool
    """By somebody at the keyboard."""
    is_cut_short: bool
    """Before its last epoch."""

    def table(self) -> Table:
        """The same, for people."""
        table = Table("measure", "value", title="Trained", title_justify="left")
        table.columns[1].justify = "right"
        table.add_row("parameters", f"{self.parameters:,}")
        table.add_row("kept epoch", f"{self.metrics['kept_epoch']:.0f}")
        table.add_row("training time", f"{self.metrics['train_seconds']:.1f} s")
        for part, name in (("val", "validation"), ("test", "test")):
            table.add_row(f"{name} accuracy", f"{self.metrics[f'{part}_accuracy']:.2%}")
            table.add_row(f"{name} loss", f"{self.metrics[f'{part}_loss']:.4f}")
        return table


def read(options: Options) -> datasets.Dataset:
    """Read the data that the options name.

    Raises:
        CommandError: it can't be had, or is not fit to learn from.

    """
    dataset = datasets.read(options.data) if options.data else mnist.load(options.cache)
    if options.labels:
        return datasets.named(dataset, class_names.read(options.labels), options.labels)
    return dataset


def begin(
    options: Options,
    preset: str,
    dataset: datasets.Dataset,
    display: Display,
    place: RunInfo,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Outcome:
    """Train, measure and log one model as ``options`` say.

    The test set is measured once, with the weights that are kept, and decides nothing.

    Args:
        options: of the run.
        preset: that they come from, for the record.
        dataset: that they name.
        display: for people.
        place: of the run in MLflow.
        callbacks: of Keras, for the time of training.

    Raises:
        TrainError: the data or MLflow can't be used; no run is left behind by bad data.

    """
    lesson = _lesson(options, dataset)
    with run_session.start(options.experiment, place) as active:
        state = State(options.checkpoints, active.info.run_id)
        try:
            state.begin(options)
            display.say(f"run {active.info.run_id} on {dataset.name}")
            network = _network(options, dataset)
            run_log.description(options, preset, dataset, network)
            return _finish(network, dataset, lesson, options, state, display, callbacks)
        except (Pruned, KeyboardInterrupt) as reason:
            if place.parent or isinstance(reason, Pruned):
                state.remove()  # a sweep makes the run anew
            raise


def resume(run_id: str, checkpoints: Path, display: Display) -> Outcome:
    """Go on with a run that was killed, from its last whole epoch.

    Raises:
        TrainError: nothing of it is left, or its data can't be read any more.

    """
    state = State(checkpoints, run_id)
    options = state.options()
    dataset = read(options)
    lesson = _lesson(options, dataset)
    with run_session.resume(run_id):
        display.say(f"run {run_id} goes on, on {dataset.name}")
        return _finish(_network(options, dataset), dataset, lesson, options, state, display)


def _lesson(options: Options, dataset: datasets.Dataset) -> Lesson:
    """What the network learns from."""
    training, held = split(dataset, options)
    judges = held
    if options.learns_probabilities:
        training, judges = (
            (images, keras.utils.to_categorical(labels, dataset.classes))
            for images, labels in (training, held)
        )
    teach = distillation.load(options.teacher, dataset.classes) if options.teacher else None
    return Lesson(training, judges, held, teach)


def _network(options: Options, dataset: datasets.Dataset) -> keras.Model:
    keras.utils.set_random_seed(options.seed)
    if options.deterministic:
        tensorflow.config.experimental.enable_op_determinism()
    return dense_network.build(options, dataset.classes)


def _finish(
    network: keras.Model,
    dataset: datasets.Dataset,
    lesson: Lesson,
    options: Options,
    state: State,
    display: Display,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Outcome:
    """Do what is left of a run: train, measure, log."""
    dense_network.compile_to_train(
        network, options, batches.steps(len(lesson.training[0]), options)
    )
    progress, is_interrupted = fit(network, lesson, options, state, display, callbacks)
    dense_network.compile_to_measure(network)
    metrics = {"train_seconds": progress.seconds, "kept_epoch": float(progress.kept_epoch)}
    metrics |= _evaluate(network, "val", *lesson.held)
    metrics |= _evaluate(network, "test", dataset.x_test, dataset.y_test)
    run_log.result(options, network, dataset, metrics, progress.history)
    is_cut_short = progress.epoch < options.epochs
    if is_cut_short:
        mlflow.set_tag(run_session.CUT_SHORT_TAG, progress.epoch)
    state.remove()
    return Outcome(state.run_id, network.count_params(), metrics, is_interrupted, is_cut_short)


def _evaluate(network: keras.Model, part: str, x: Any, y: Any) -> dict[str, float]:
    result = network.evaluate(
        x, y, batch_size=dense_network.EVALUATION_BATCH, verbose=0, return_dict=True
    )
    return {f"{part}_{name}": float(value) for name, value in result.items()}
