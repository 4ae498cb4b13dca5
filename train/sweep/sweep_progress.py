"""What a person sees of a sweep: runs done, the best so far, and the time that is left."""

from datetime import timedelta
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from train.sweep.study import Study
from train.training.progress_bar import Display


class Board(Display):
    """A bar for all runs and one for the epochs of this one; a line for each run that is done."""

    def __init__(self, console: Console, study: Study) -> None:
        super().__init__(console)
        self._study = study
        self._name = ""
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._all = self._progress.add_task("runs", total=None, told="")
        self._epochs = self._progress.add_task("", total=None, visible=False, told="")

    def start(self) -> None:
        """Show the bars."""
        self._progress.start()
        self._refresh()

    def stop(self) -> None:
        """Give the terminal back."""
        self._progress.stop()

    def begin(self, name: str) -> None:
        """Tell which run comes next."""
        self._name = name
        standing = self._refresh()
        if not self.console.is_terminal:
            self._print(f"{name} ({standing})")

    def end(self, result: str) -> None:
        """Tell what came of it."""
        self._print(f"{self._name}: {result}")

    def say(self, text: str) -> None:
        """Keep quiet: a run among many."""

    def __enter__(self) -> Self:
        """Show the epochs' bar."""
        self._progress.reset(self._epochs, visible=True, description=self._name, told="")
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.update(self._epochs, visible=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar on by one epoch."""
        accuracy = (logs or {}).get("val_accuracy", 0.0)
        self._progress.update(
            self._epochs,
            completed=epoch + 1,
            total=self.params["epochs"],
            told=f"validation {accuracy:.2%}",
        )

    def _refresh(self) -> str:
        standing = self._study.standing()
        told = []
        if standing.best is not None:
            told.append(f"best {standing.best:.2%}")
        if standing.seconds_left is not None:
            told.append(f"{timedelta(seconds=round(standing.seconds_left))} left")
        self._progress.update(
            self._all, completed=standing.done, total=standing.total, told="  ".join(told)
        )
        return "  ".join([f"{standing.done} of {standing.total} done", *told])

    def _print(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)
