"""Tables of results, in a terminal and in a document."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.errors import BenchmarkError
from cli import markdown

Rows = Sequence[Sequence[str]]
_WIDTH = 180  # columns if there is no terminal


def command() -> str:
    """The command line of this process, in Markdown."""
    return f"`{shlex.join(['python', '-m', 'benchmarks', *sys.argv[1:]])}`"


def show(head: Sequence[str], rows: Rows, title: str | None = None) -> None:
    """Print a table; its first column is text."""
    table = Table(*head, title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    output = Console(width=None if sys.stdout.isatty() else _WIDTH)
    output.print(table, highlight=False)


def check_document(file: Path | None) -> None:
    """Fail before minutes of measuring, not after them.

    Raises:
        BenchmarkError: there is no such document.

    """
    if file and not file.is_file():
        raise BenchmarkError(f"{file} is not a file")


def put(file: Path, marker: str, head: Sequence[str], rows: Rows, facts: Sequence[str]) -> None:
    """Write a table and the facts above it into a document, in place of those that are there.

    Raises:
        CommandError: it can't be written, or lacks the markers of the table or the facts.

    """
    markdown.put_table(file, marker, head, rows)
    lines = [f"- {fact}" if fact else "" for fact in facts]
    markdown.put_text(file, f"{marker} circumstances", "\n".join(lines) + "\n")
