"""The comparison in a terminal, and as a table of a document."""

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from train.compare.groups import Group, differing, measured
from train.errors import TrainError

_BETWEEN = re.compile(r"(<!-- runs -->\n).*?(<!-- /runs -->)", re.DOTALL)


def header(groups: Sequence[Group]) -> list[str]:
    """What stands above each column."""
    options = differing([group.options for group in groups])
    return ["run", "seeds", *options, *(one.title for one in measured(groups))]


def rows(groups: Sequence[Group]) -> list[list[str]]:
    """The text of each cell."""
    names, measures = differing([group.options for group in groups]), measured(groups)
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
    table = Table(*header(groups), title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows(groups):
        table.add_row(*row)
    return table


def write_markdown(groups: Sequence[Group], document: Path) -> None:
    """Put the table into a document, in place of the one that it has.

    Raises:
        TrainError: the document can't be read or written, or has no place for a table.

    """
    head = [*header(groups), "test, 95 % interval"]
    lines = [head, ["---", *["--:"] * (len(head) - 1)]]
    for group, row in zip(groups, rows(groups), strict=True):
        interval = group.interval()
        lines.append([*row, "–" if interval is None else "{:.2%} to {:.2%}".format(*interval)])
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    try:
        text = document.read_text()
        if not _BETWEEN.search(text):
            raise TrainError(
                f"{document} has no line <!-- runs --> with <!-- /runs --> after it: the table's"
                " place"
            )
        document.write_text(_BETWEEN.sub(lambda found: found[1] + table + found[2], text))
    except OSError as error:
        raise TrainError(f"{document}: {error.strerror}") from None
