"""One training run, from the data to a logged model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import mlflow
import numpy as np
import tensorflow
from numpy.typing import NDArray
from rich.table import Table
from sklearn.utils.class_weight import compute_class_weight

from tracking import metrics, run_session
from tracking.run_session import Pruned, RunInfo
from train.data import batches, split
from train.data.dataset import Dataset
from train.errors import TrainError
from train.evaluation import task_metrics
from train.network import dense_network
from train.reading import reader
from train.run_options import Options
from train.training import other_runs, run_log, suitability
from train.training.checkpoint import Checkpoint
from train.training.fit import fit
from train.training.progress_bar import Display
from train.training.training_data import TrainingData


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
        table = Table(
            *("measure", "value"),
            title="Trained",
            title_justify="left",
            caption="python -m export measures the test set",
            caption_justify="left",
        )
        table.columns[1].justify = "right"
        table.add_row("parameters", f"{self.parameters:,}")
        table.add_row("kept epoch", f"{self.metrics['kept_epoch']:.0f}")
        table.add_row("training time", f"{self.metrics['train_seconds']:.1f} s")
        for name, value in metrics.described(self.metrics):
            table.add_row(name, value)
        return table


def begin(
    options: Options,
    preset: str,
    dataset: Dataset,
    display: Display,
    info: RunInfo,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Outcome:
    """Train, evaluate and log one model.

    The kept weights are evaluated on the validation part. Only export evaluates the test set.

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
    with run_session.start(options.experiment or dataset.name, info) as active:
        checkpoint = Checkpoint(options.checkpoints, active.info.run_id)
        try:
            checkpoint.create(options, dataset.sha256)
            display.say(f"run {active.info.run_id} on {dataset.name}, {dataset.task}")
            network = _network(options, data)
            run_log.log_description(options, preset, data, network)
            return _finish(network, data, options, checkpoint, display, callbacks)
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
    dataset = reader.read(options)
    if dataset.sha256 != dataset_sha256:
        raise TrainError(
            f"run {run_id} was started on other data: their sha256 was {dataset_sha256}, that of"
            f" {' '.join(options.data)} is {dataset.sha256}"
        )
    data = _training_data(options, dataset)
    with run_session.resume(run_id):
        display.say(f"resuming run {run_id} on {dataset.name}")
        return _finish(_network(options, data), data, options, checkpoint, display)


def _training_data(options: Options, dataset: Dataset) -> TrainingData:
    """Split the data, and give it the targets that the loss needs."""
    suitability.check(options, dataset)
    training, validation = split.split(dataset, options)
    truth, weights = validation, None
    if options.class_weights == "balanced":
        classes = np.arange(dataset.classes)
        balanced = compute_class_weight("balanced", classes=classes, y=training[1])
        weights = dict(enumerate(balanced.tolist()))
    if options.learns_probabilities:
        training, validation = (
            (rows, keras.utils.to_categorical(targets, dataset.classes))
            for rows, targets in (training, validation)
        )
    teachers = other_runs.teachers(options, dataset)
    return TrainingData(dataset, training, validation, truth, weights, teachers)


def _network(options: Options, data: TrainingData) -> keras.Model:
    keras.utils.set_random_seed(options.seed)
    if options.deterministic:
        tensorflow.config.experimental.enable_op_determinism()
    network = dense_network.build(options, data.dataset, data.training[0])
    if options.start:
        other_runs.set_start(network, options.start, options, data.dataset)
    return network


def _finish(
    network: keras.Model,
    data: TrainingData,
    options: Options,
    checkpoint: Checkpoint,
    display: Display,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Outcome:
    """Train, evaluate and log."""
    dataset, steps = data.dataset, batches.steps(len(data.training[0]), options)
    dense_network.compile_to_train(network, options, dataset, steps)
    progress, is_interrupted = fit(network, data, options, checkpoint, display, callbacks)
    dense_network.compile_to_evaluate(network, dataset)
    found = {"train_seconds": progress.seconds, "kept_epoch": float(progress.kept_epoch)}
    x, truth = data.validation_truth
    predicted = _predict(network, x)
    values = task_metrics.evaluate(dataset, truth, predicted)
    found |= {f"val_{name}": value for name, value in values.items()}
    run_log.log_result(network, data, found, progress.history, predicted)
    is_cut_short = progress.epoch < options.epochs
    if is_cut_short:
        mlflow.set_tag(run_session.CUT_SHORT_TAG, progress.epoch)
    checkpoint.remove()
    return Outcome(checkpoint.run_id, network.count_params(), found, is_interrupted, is_cut_short)


def _predict(network: keras.Model, x: NDArray[np.float32]) -> NDArray[np.float32]:
    predicted: NDArray[np.float32] = network.predict(
        x, batch_size=dense_network.EVALUATION_BATCH, verbose=0
    )
    return predicted
