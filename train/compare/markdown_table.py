"""A comparison as a table in a Markdown document."""

from collections.abc import Sequence
from pathlib import Path

from cli import markdown
from train.compare import comparison_table
from train.compare.run_groups import Group, metrics_of, options_off_preset

_LEFT_OUT = (
    *("val_loss", "val_f1", "val_auc", "val_ece", "val_mae", "val_r2"),
    "parity_max_abs_difference",
)
"""Metrics that readers of the result do not need."""


def write(groups: Sequence[Group], file: Path) -> None:
    """Replace the table in a Markdown file.

    It leaves out options that presets imply, and all metrics but the main ones.

    Raises:
        CommandError: the file can't be read or written, or has no markers for the table.

    """
    metrics = [one for one in metrics_of(groups) if one.key not in _LEFT_OUT]
    options = options_off_preset(groups)
    head, rows = comparison_table.cells(groups, options, metrics)
    if any(group.values("val_accuracy") for group in groups):
        head = [*head, "validation %, 95 % interval"]
        rows = [[*row, _interval(group)] for row, group in zip(rows, groups, strict=True)]
    markdown.put_table(file, "runs", head, rows)


def _interval(group: Group) -> str:
    low_high = group.interval()
    return "–" if low_high is None else "{:.2f} to {:.2f}".format(*(100 * x for x in low_high))
