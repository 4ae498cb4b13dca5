"""The comparison as a table."""

import contextlib
from collections.abc import Sequence

from rich.table import Table

from train.compare.groups import Group, differing, measured
from train.compare.measures import Measure


def header(groups: Sequence[Group], measures: Sequence[Measure]) -> list[str]:
    """What stands above each column."""
    return ["run", "seeds", *differing(groups), *(one.title for one in measures)]


def rows(groups: Sequence[Group], measures: Sequence[Measure]) -> list[list[str]]:
    """The text of each cell."""
    names = differing(groups)
    return [
        [
            group.name,
            str(len(group.runs)),
            *(_short(group.options.get(name, "–")) for name in names),
            *(one.text(group.values(one.key)) for one in measures),
        ]
        for group in groups
    ]


def _short(text: str) -> str:
    """Numbers as a search draws them, with the digits that matter."""
    with contextlib.suppress(ValueError):
        return f"{float(text):.4g}"
    return text


def terminal(groups: Sequence[Group], title: str) -> Table:
    """The table for people at a terminal."""
    measures = measured(groups)
    table = Table(*header(groups, measures), title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows(groups, measures):
        table.add_row(*row)
    return table
