"""The comparison as a table of a document."""

import re
from collections.abc import Sequence
from pathlib import Path

from train.compare import table
from train.compare.groups import Group, departing, measured
from train.errors import TrainError

_BETWEEN = re.compile(r"(<!-- runs -->\n).*?(<!-- /runs -->)", re.DOTALL)
_LEFT_OUT = ("val_accuracy", "val_loss", "test_loss", "parity_max_abs_difference")
"""Measures that help to choose, and are of no use to a reader of what was chosen."""


def write(groups: Sequence[Group], file: Path) -> None:
    """Put a shorter table into a Markdown file, in place of the one that it has.

    It has neither the options that a preset says nor the measures that only help to choose.

    Raises:
        TrainError: the file can't be read or written, or has no place for a table.

    """
    measures = [one for one in measured(groups) if one.key not in _LEFT_OUT]
    options = departing(groups)
    head = [*table.header(options, measures), "test %, 95 % interval"]
    lines = [head, ["---", *["--:"] * (len(head) - 1)]]
    for group, row in zip(groups, table.rows(groups, options, measures), strict=True):
        lines.append([*(cell.replace("|", "\\|") for cell in row), _interval(group)])
    drawn = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    try:
        text = file.read_text()
        if not _BETWEEN.search(text):
            raise TrainError(
                f"{file} has no line <!-- runs --> with <!-- /runs --> after it: the table's place"
            )
        file.write_text(_BETWEEN.sub(lambda found: found[1] + drawn + found[2], text))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainError(f"{file}: {getattr(error, 'strerror', None) or 'not a text'}") from None


def _interval(group: Group) -> str:
    low_high = group.interval()
    return "–" if low_high is None else "{:.2f} to {:.2f}".format(*(100 * x for x in low_high))
