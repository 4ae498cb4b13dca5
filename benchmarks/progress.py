"""What a person sees while something is measured."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Step = Callable[[object], None]
"""Called at the beginning of each step, with what begins."""


def out(width: int) -> Console:
    """Where results go: as wide as the terminal, and so many columns where there is none."""
    return Console(width=None if sys.stdout.isatty() else width)


@contextmanager
def steps(console: Console, total: int) -> Iterator[Step]:
    """A progress bar of so many steps."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=total)
        begun = 0

        def step(what: object) -> None:
            nonlocal begun
            progress.update(task, description=str(what), completed=begun)
            begun += 1

        yield step
