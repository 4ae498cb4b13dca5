"""The comparison as a table."""

import contextlib
from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from tracking.metrics import Measure
from train.compare.run_groups import Group, differing, measured


def header(options: Sequence[str], measures: Sequence[Measure]) -> list[str]:
    """What stands above each column."""
    return ["run", "runs", *options, *(one.title for one in measures)]


def rows(
    groups: Sequence[Group], options: Sequence[str], measures: Sequence[Measure]
) -> list[list[str]]:
    """The text of each cell: of these options, and of these measures."""
    return [
        [
            group.name,
            str(len(group.runs)),
            *(_short(group.options.get(name, "–")) for name in options),
            *(one.text(group.values(one.key)) for one in measures),
        ]
        for group in groups
    ]


def _short(text: str) -> str:
    """Of a number with a fraction, as a search draws them, the digits that matter."""
    if "." in text or "e" in text:
        with contextlib.suppress(ValueError):
            return f"{float(text):.4g}"
    return text


def terminal(groups: Sequence[Group], title: str) -> Table:
    """The table for people at a terminal."""
    options, measures = differing(groups), measured(groups)
    columns = [Column(Text(text)) for text in header(options, measures)]
    table = Table(*columns, title=Text(title), title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows(groups, options, measures):
        table.add_row(*map(Text, row))  # where brackets are no markup
    return table
