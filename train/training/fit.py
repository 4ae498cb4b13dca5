"""The training of one network: epoch after epoch, the best weights kept, a kill survived."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from cli import interrupt
from train.data import batches
from train.data.split import Part
from train.run_options import Options
from train.training import dense_network, run_log
from train.training.checkpoint import Progress, State
from train.training.progress_bar import Display


@dataclass(frozen=True)
class Lesson:
    """What a network learns from."""

    training: Part
    judges: Part
    """To choose the epoch by, with targets of the same kind."""
    held: Part
    """The same images with their class indices."""
    teach: Callable[[Any], Any] | None = None
    """Gives the targets of a batch of images, where it is not those of ``training``."""


def fit(
    network: keras.Model,
    lesson: Lesson,
    options: Options,
    state: State,
    display: Display,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[Progress, bool]:
    """Train until the last epoch, or until somebody presses Ctrl-C.

    The network then has the weights that ``options.keep`` says.

    Args:
        network: compiled.
        lesson: to learn from.
        options: of the run.
        state: what an earlier part of the run has left, and this one leaves after each epoch.
        display: for people.
        callbacks: of Keras, called last.

    Returns:
        How far it is, and whether somebody pressed Ctrl-C, be it in the last epoch.

    """
    keeper = _Keeper(network, options, state)
    feed = batches.batches(*lesson.training, options, keeper.progress.epoch, lesson.teach)
    with display, interrupt.wishes() as wish:
        if keeper.progress.epoch < options.epochs:
            network.fit(
                feed,
                validation_data=lesson.judges,
                initial_epoch=keeper.progress.epoch,
                epochs=options.epochs,
                steps_per_epoch=batches.steps(len(lesson.training[0]), options),
                validation_batch_size=dense_network.EVALUATION_BATCH,
                callbacks=[
                    run_log.EpochMetrics(),
                    display,
                    keeper,
                    _Stop(wish, display.console),
                    *callbacks,
                ],
                verbose=0,
                shuffle=False,
            )
    if wish.at_once:
        raise KeyboardInterrupt
    network.set_weights(keeper.weights)
    return keeper.progress, wish.after_epoch


class _Keeper(keras.callbacks.Callback):
    """Keeps the best or the last weights, and all that a resumed run needs."""

    def __init__(self, network: keras.Model, options: Options, state: State) -> None:
        super().__init__()
        self._state = state
        self._keeps_last = options.keep == "last"
        self.weights: list[NDArray[Any]] = []
        self.progress = Progress()
        if left := state.load(network):
            self.weights, self.progress = left
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Take in what an epoch, counted from 0, has brought."""
        progress = self.progress
        now = time.monotonic()
        progress.seconds += now - self._began
        self._began = now
        progress.epoch = epoch + 1
        for name, value in (logs or {}).items():
            progress.history.setdefault(name, []).append(float(value))
        accuracy = progress.history["val_accuracy"][-1]
        if self._keeps_last or accuracy > progress.accuracy:
            progress.accuracy = accuracy
            progress.kept_epoch = epoch + 1
            self.weights = [np.array(value) for value in self.model.get_weights()]
        self._state.save(self.model, self.weights, progress)


class _Stop(keras.callbacks.Callback):
    """Ends training where that is wished."""

    def __init__(self, wish: interrupt.Wish, console: Console) -> None:
        super().__init__()
        self._wish = wish
        self._console = console
        self._said = False

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look whether it shall be at once, and say where it is after this epoch."""
        if self._wish.at_once:
            raise KeyboardInterrupt
        if self._wish.after_epoch:
            self._say()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Look whether it shall be after an epoch."""
        if self._wish.after_epoch:
            self._say()
            self.model.stop_training = True

    def _say(self) -> None:
        if not self._said:
            self._said = True
            self._console.print(
                "ends after this epoch, with its model; Ctrl-C again ends it at once"
            )
