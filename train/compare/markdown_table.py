"""The comparison as a table of a document."""

from collections.abc import Sequence
from pathlib import Path

from cli import markdown
from train.compare import comparison_table
from train.compare.run_groups import Group, departing, measured

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
    head = [*comparison_table.header(options, measures), "test %, 95 % interval"]
    rows = zip(
        comparison_table.rows(groups, options, measures), map(_interval, groups), strict=True
    )
    markdown.put(file, "runs", head, ([*row, interval] for row, interval in rows))


def _interval(group: Group) -> str:
    low_high = group.interval()
    return "–" if low_high is None else "{:.2f} to {:.2f}".format(*(100 * x for x in low_high))
