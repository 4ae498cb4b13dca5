"""A comparison as a table in a Markdown document."""

from collections.abc import Sequence
from pathlib import Path

from cli import markdown
from train.compare import comparison_table
from train.compare.run_groups import Group, metrics_of, options_off_preset

_LEFT_OUT = ("val_accuracy", "val_loss", "test_loss", "parity_max_abs_difference")
"""Metrics for choosing among runs, which readers of the result do not need."""


def write(groups: Sequence[Group], file: Path) -> None:
    """Replace the table in a Markdown file.

    It leaves out options that presets imply, and metrics for choosing among runs.

    Raises:
        CommandError: the file can't be read or written, or has no markers for the table.

    """
    metrics = [one for one in metrics_of(groups) if one.key not in _LEFT_OUT]
    options = options_off_preset(groups)
    head = [*comparison_table.header(options, metrics), "test %, 95 % interval"]
    rows = zip(comparison_table.rows(groups, options, metrics), map(_interval, groups), strict=True)
    markdown.put_table(file, "runs", head, ([*row, interval] for row, interval in rows))


def _interval(group: Group) -> str:
    low_high = group.interval()
    return "–" if low_high is None else "{:.2f} to {:.2f}".format(*(100 * x for x in low_high))
