"""A comparison as a table for the terminal."""

import contextlib
from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from tracking.metrics import Metric
from train.compare.run_groups import Group, differing, metrics_of


def cells(
    groups: Sequence[Group], options: Sequence[str], metrics: Sequence[Metric]
) -> tuple[list[str], list[list[str]]]:
    """The titles of the columns and the rows, for these options and metrics."""
    head = ["run", "runs", *options, *(one.title for one in metrics)]
    rows = [
        [
            group.name,
            str(len(group.runs)),
            *(_short(group.options.get(name, "–")) for name in options),
            *(one.format(group.values(one.key)) for one in metrics),
        ]
        for group in groups
    ]
    if any(group.difference for group in groups):
        head.append("differs from best")
        rows = [[*row, group.difference] for row, group in zip(rows, groups, strict=True)]
    return head, rows


def _short(text: str) -> str:
    """Round numbers with many digits, which a search draws."""
    if "." in text or "e-" in text:  # not the commit 49589e37
        with contextlib.suppress(ValueError):
            return f"{float(text):.4g}"
    return text


def terminal(groups: Sequence[Group], title: str) -> Table:
    """Create the table for the terminal."""
    options, metrics = differing(groups), metrics_of(groups)
    head, rows = cells(groups, options, metrics)
    columns = [Column(Text(text)) for text in head]
    table = Table(*columns, title=Text(title), title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*map(Text, row))  # Text, so that brackets are not markup
    return table
