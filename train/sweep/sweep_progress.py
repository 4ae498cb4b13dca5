"""Progress of a sweep in the terminal: completed runs, best result, and remaining time."""

from datetime import timedelta
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from tracking import metrics
from train.sweep.study import Study
from train.training.progress_bar import Display


class SweepProgress(Display):
    """A bar for all runs, one for the epochs of the current run, and a line per completed run."""

    def __init__(self, console: Console, study: Study, metric: str) -> None:
        super().__init__(console)
        self._study = study
        self._metric = metric
        self._name = ""
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._progress.add_task("runs", total=None, text="")
        self._epochs = self._progress.add_task("", total=None, visible=False, text="")

    def start(self) -> None:
        """Show the bars."""
        self._progress.start()
        self._refresh()

    def stop(self) -> None:
        """Restore the terminal."""
        self._progress.stop()

    def begin(self, name: str) -> None:
        """Show which run starts."""
        self._name = name
        status = self._refresh()
        if not self.console.is_terminal:
            self._print(f"{name} ({status})")

    def end(self, result: str) -> None:
        """Print the result of the run."""
        self._print(f"{self._name}: {result}")

    def say(self, text: str) -> None:
        """Print nothing: this is one run of many."""

    def __enter__(self) -> Self:
        """Show the bar for epochs."""
        self._progress.reset(self._epochs, visible=True, description=self._name, text="")
        return self

    def __exit__(self, *_: object) -> None:
        """Hide the bar for epochs."""
        self._progress.update(self._epochs, visible=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Advance the bar by one epoch."""
        value = (logs or {}).get(self._metric, 0.0)
        self._progress.update(
            self._epochs,
            completed=epoch + 1,
            total=self.params["epochs"],
            text=f"validation {metrics.text(self._metric, value)}",
        )

    def _refresh(self) -> str:
        status = self._study.status()
        parts = []
        if status.best is not None:
            parts.append(f"best {metrics.text(self._metric, status.best)}")
        if status.seconds_left is not None:
            parts.append(f"{timedelta(seconds=round(status.seconds_left))} left")
        self._progress.update(
            self._all, completed=status.done, total=status.total, text="  ".join(parts)
        )
        return "  ".join([f"{status.done} of {status.total} done", *parts])

    def _print(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
