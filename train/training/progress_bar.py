"""Progress of training in the terminal: a bar for the current epoch, a line for each past one."""

import time
from abc import ABC, abstractmethod
from typing import Any, Self

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Display(keras.callbacks.Callback, ABC):
    """Shows the progress of training, within its ``with`` block."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    @abstractmethod
    def say(self, text: str) -> None:
        """Report a step before or after the epochs."""

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(self, *_: object) -> None: ...


class ProgressBar(Display):
    """A progress bar; without a terminal, only a line per epoch."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._started = 0.0

    def say(self, text: str) -> None:
        """Print it."""
        self.console.print(text, highlight=False)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the terminal."""
        self._progress.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the bar of an epoch."""
        params: dict[str, Any] = self.params
        self._started = time.monotonic()
        self._task = self._progress.add_task(
            f"epoch {epoch + 1}/{params['epochs']}", total=params["steps"]
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Advance the bar by one step."""
        self._progress.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Replace the bar by a line with the metrics of the epoch."""
        self._progress.remove_task(self._task)
        metrics = "  ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        seconds = time.monotonic() - self._started
        self.console.print(
            f"epoch {epoch + 1:>3}/{self.params['epochs']}  {metrics}  {seconds:.1f} s",
            highlight=False,
            soft_wrap=True,
        )
