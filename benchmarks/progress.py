"""What a person sees while something is measured."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Step = Callable[[object], None]
"""Called at the beginning of each step, with what begins."""


def wrote(console: Console, *files: Path) -> None:
    """Say which files were written."""
    console.print(f"wrote {', '.join(map(str, files))}", highlight=False, soft_wrap=True)


@contextmanager
def steps(console: Console, total: int | None = None) -> Iterator[Step]:
    """A progress bar of so many steps, if their number is known."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)
        begun = 0

        def step(what: object) -> None:
            nonlocal begun
            bar.update(task, description=str(what), completed=begun)
            begun += 1

        yield step
