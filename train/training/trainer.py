"""One training run, from the data to a logged model."""

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
from train.errors import TrainError
from train.run_options import Options
from train.training import dense_network, distillation, run_log
from train.training.checkpoint import Checkpoint
from train.training.fit import TrainingData, fit
from train.training.progress_bar import Display


@dataclass(frozen=True)
class Outcome:
    """The result of a run."""

    run_id: str
    parameters: int
    metrics: Mapping[str, float]
    """Of the kept weights, and ``kept_epoch`` and ``train_seconds``."""
    is_interrupted: bool
    """With Ctrl-C."""
    is_cut_short: bool
    """It ended before its last epoch."""

    def table(self) -> Table:
        """Show it as a table."""
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
        CommandError: it can't be read, or can't be used for training.

    """
    dataset = datasets.read(options.data) if options.data else mnist.load(options.cache)
    if options.class_names:
        names = class_names.read(options.class_names)
        return datasets.named(dataset, names, options.class_names)
    return dataset


def begin(
    options: Options,
    preset: str,
    dataset: datasets.Dataset,
    display: Display,
    info: RunInfo,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Outcome:
    """Train, evaluate and log one model.

    The test set is evaluated once, with the kept weights, and influences nothing.

    Args:
        options: of the run.
        preset: the name of the preset of the options, for the log.
        dataset: the data that the options name.
        display: shows the progress.
        info: name, parent and tags of the run in MLflow.
        callbacks: additional Keras callbacks for training.

    Raises:
        CommandError: the data or MLflow can't be used. Bad data leaves no run behind.

    """
    data = _training_data(options, dataset)
    with run_session.start(options.experiment, info) as active:
        checkpoint = Checkpoint(options.checkpoints, active.info.run_id)
        try:
            checkpoint.create(options, dataset.sha256)
            display.say(f"run {active.info.run_id} on {dataset.name}")
            network = _network(options, dataset)
            run_log.log_description(options, preset, dataset, network)
            return _finish(network, dataset, data, options, checkpoint, display, callbacks)
        except (Pruned, KeyboardInterrupt) as reason:
            if info.parent or isinstance(reason, Pruned):
                checkpoint.remove()  # a sweep starts such a run from the beginning
            raise


def resume(run_id: str, checkpoints: Path, display: Display) -> Outcome:
    """Resume a run that was killed, from its last completed epoch.

    Raises:
        CommandError: there is no checkpoint, or the data can't be read or have changed.

    """
    checkpoint = Checkpoint(checkpoints, run_id)
    options, dataset_sha256 = checkpoint.start()
    dataset = read(options)
    if dataset.sha256 != dataset_sha256:
        raise TrainError(
            f"run {run_id} was started on other data: their sha256 was {dataset_sha256}, that of"
            f" {options.data or 'MNIST'} is {dataset.sha256}"
        )
    data = _training_data(options, dataset)
    with run_session.resume(run_id):
        display.say(f"resuming run {run_id} on {dataset.name}")
        return _finish(_network(options, dataset), dataset, data, options, checkpoint, display)


def _training_data(options: Options, dataset: datasets.Dataset) -> TrainingData:
    """Split the data, and give it the targets that the loss needs."""
    training, validation = split(dataset, options)
    validation_classes = validation
    if options.learns_probabilities:
        training, validation = (
            (images, keras.utils.to_categorical(targets, dataset.classes))
            for images, targets in (training, validation)
        )
    teacher = distillation.load(options.teacher, options, dataset) if options.teacher else None
    return TrainingData(training, validation, validation_classes, teacher)


def _network(options: Options, dataset: datasets.Dataset) -> keras.Model:
    keras.utils.set_random_seed(options.seed)
    if options.deterministic:
        tensorflow.config.experimental.enable_op_determinism()
    return dense_network.build(options, dataset.classes)


def _finish(
    network: keras.Model,
    dataset: datasets.Dataset,
    data: TrainingData,
    options: Options,
    checkpoint: Checkpoint,
    display: Display,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Outcome:
    """Train, evaluate and log."""
    dense_network.compile_to_train(network, options, batches.steps(len(data.training[0]), options))
    progress, is_interrupted = fit(network, data, options, checkpoint, display, callbacks)
    dense_network.compile_to_evaluate(network)
    metrics = {"train_seconds": progress.seconds, "kept_epoch": float(progress.kept_epoch)}
    metrics |= _evaluate(network, "val", *data.validation_classes)
    metrics |= _evaluate(network, "test", dataset.x_test, dataset.y_test)
    run_log.log_result(options, network, dataset, metrics, progress.history, data.training[0])
    is_cut_short = progress.epoch < options.epochs
    if is_cut_short:
        mlflow.set_tag(run_session.CUT_SHORT_TAG, progress.epoch)
    checkpoint.remove()
    return Outcome(checkpoint.run_id, network.count_params(), metrics, is_interrupted, is_cut_short)


def _evaluate(network: keras.Model, part: str, x: Any, y: Any) -> dict[str, float]:
    result = network.evaluate(
        x, y, batch_size=dense_network.EVALUATION_BATCH, verbose=0, return_dict=True
    )
    return {f"{part}_{name}": float(value) for name, value in result.items()}
