"""A comparison as a table for the terminal."""

import contextlib
from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from tracking.metrics import Metric
from train.compare.run_groups import Group, differing, metrics_of


def header(options: Sequence[str], metrics: Sequence[Metric]) -> list[str]:
    """The titles of the columns."""
    return ["run", "runs", *options, *(one.title for one in metrics)]


def rows(
    groups: Sequence[Group], options: Sequence[str], metrics: Sequence[Metric]
) -> list[list[str]]:
    """The text of each cell, for these options and metrics."""
    return [
        [
            group.name,
            str(len(group.runs)),
            *(_short(group.options.get(name, "–")) for name in options),
            *(one.format(group.values(one.key)) for one in metrics),
        ]
        for group in groups
    ]


def _short(text: str) -> str:
    """Round numbers with many digits, which a search draws."""
    if "." in text or "e" in text:
        with contextlib.suppress(ValueError):
            return f"{float(text):.4g}"
    return text


def terminal(groups: Sequence[Group], title: str) -> Table:
    """Create the table for the terminal."""
    options, metrics = differing(groups), metrics_of(groups)
    columns = [Column(Text(text)) for text in header(options, metrics)]
    table = Table(*columns, title=Text(title), title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows(groups, options, metrics):
        table.add_row(*map(Text, row))  # Text, so that brackets are not markup
    return table
