"""A comparison as a table in a Markdown document."""

from collections.abc import Sequence
from pathlib import Path

from cli import markdown
from train.compare import comparison_table
from train.compare.run_groups import Group, metrics_of, options_off_preset

_LEFT_OUT = (
    *("val_accuracy", "val_rmse", "val_loss", "test_loss"),
    *("test_f1", "test_auc", "test_ece", "test_mae", "parity_max_abs_difference"),
)
"""Metrics for choosing among runs, which readers of the result do not need."""


def write(groups: Sequence[Group], file: Path) -> None:
    """Replace the table in a Markdown file.

    It leaves out options that presets imply, and metrics for choosing among runs.

    Raises:
        CommandError: the file can't be read or written, or has no markers for the table.

    """
    metrics = [one for one in metrics_of(groups) if one.key not in _LEFT_OUT]
    options = options_off_preset(groups)
    head = comparison_table.header(options, metrics)
    rows = comparison_table.rows(groups, options, metrics)
    if any(group.values("test_accuracy") for group in groups):
        head = [*head, "test %, 95 % interval"]
        rows = [[*row, _interval(group)] for row, group in zip(rows, groups, strict=True)]
    markdown.put_table(file, "runs", head, rows)


def _interval(group: Group) -> str:
    low_high = group.interval()
    return "–" if low_high is None else "{:.2f} to {:.2f}".format(*(100 * x for x in low_high))
