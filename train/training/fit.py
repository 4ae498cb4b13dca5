"""Train one network, keep the best or last weights, and write a checkpoint after each epoch."""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from cli import interrupt
from tracking import metrics
from train.data import batches
from train.errors import TrainError
from train.network import dense_network
from train.run_options import Options
from train.training import run_log
from train.training.checkpoint import Checkpoint, Progress
from train.training.progress_bar import Display
from train.training.training_data import TrainingData


def fit(
    network: keras.Model,
    data: TrainingData,
    options: Options,
    checkpoint: Checkpoint,
    display: Display,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[Progress, bool]:
    """Train until the last epoch, or until Ctrl-C.

    Afterwards the network has the weights that ``options.keep`` selects.

    Args:
        network: compiled.
        data: for training and validation.
        options: of the run.
        checkpoint: read at the beginning, and written after each epoch.
        display: shows the progress.
        callbacks: additional Keras callbacks, called last.

    Returns:
        The progress, and whether Ctrl-C was pressed, even if it was in the last epoch.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed twice.
        TrainError: the loss is not a finite number.

    """
    metric = metrics.primary(data.dataset.task, "val")
    keeper = _WeightKeeper(network, options, checkpoint, metric)
    feed = batches.batches(
        *(*data.training, options, keeper.progress.epoch),
        shape=data.dataset.shape,
        teachers=data.teachers,
    )
    with display, interrupt.stop_requests() as request:
        if keeper.progress.epoch < options.epochs:
            network.fit(
                feed,
                validation_data=data.validation,
                initial_epoch=keeper.progress.epoch,
                epochs=options.epochs,
                steps_per_epoch=batches.steps(len(data.training[0]), options),
                class_weight=data.class_weights,
                validation_batch_size=dense_network.EVALUATION_BATCH,
                callbacks=[
                    run_log.EpochMetrics(),
                    display,
                    keeper,
                    _Stop(request, display.console),
                    *callbacks,
                ],
                verbose=0,
                shuffle=False,
            )
    if request.at_once:
        raise KeyboardInterrupt
    network.set_weights(keeper.weights)
    return keeper.progress, request.after_epoch


class _WeightKeeper(keras.callbacks.Callback):
    """Keeps the best or the last weights, and writes checkpoints."""

    def __init__(
        self, network: keras.Model, options: Options, checkpoint: Checkpoint, metric: str
    ) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._metric = metric
        self._keeps_last = options.keep == "last"
        self.weights: list[NDArray[Any]] = []
        self.progress = Progress()
        if saved := checkpoint.load(network):
            self.weights, self.progress = saved
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Update weights and checkpoint after an epoch, counted from 0."""
        progress = self.progress
        now = time.monotonic()
        progress.seconds += now - self._began
        self._began = now
        progress.epoch = epoch + 1
        for name, value in (logs or {}).items():
            progress.history.setdefault(name, []).append(float(value))
        if not np.isfinite(progress.history["loss"][-1]):
            raise TrainError(
                f"the training loss is {progress.history['loss'][-1]} after epoch {epoch + 1}; try"
                " a lower --learning-rate"
            )
        score = progress.history[self._metric][-1]
        if self._keeps_last or metrics.is_better(self._metric, score, progress.score):
            progress.score = score
            progress.kept_epoch = epoch + 1
            self.weights = [np.array(value) for value in self.model.get_weights()]
        self._checkpoint.save(self.model, self.weights, progress)


class _Stop(keras.callbacks.Callback):
    """Ends training on request."""

    def __init__(self, request: interrupt.StopRequest, console: Console) -> None:
        super().__init__()
        self._request = request
        self._console = console
        self._announced = False

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Stop now if requested, or announce that training ends after this epoch."""
        if self._request.at_once:
            raise KeyboardInterrupt
        if self._request.after_epoch:
            self._announce()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop after this epoch if requested."""
        if self._request.after_epoch:
            self._announce()
            self.model.stop_training = True

    def _announce(self) -> None:
        if not self._announced:
            self._announced = True
            self._console.print(
                "training ends after this epoch and logs its model; press Ctrl-C again to stop now"
            )
