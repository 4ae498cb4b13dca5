"""The comparison as one page that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import html
from train.compare import comparison_plots, comparison_table
from train.compare.run_groups import Group, differing, measured


def write(
    groups: Sequence[Group], importance: Mapping[str, float], metric: str, title: str, file: Path
) -> None:
    """Write the page; ``importance`` is of each option, where a search has told it.

    Raises:
        TrainError: the file can't be written.

    """
    options, measures = differing(groups), measured(groups)
    rows = comparison_table.rows(groups, options, measures)
    shown = html.table(comparison_table.header(options, measures), rows, best_first=True)
    figures = {
        "Learning curves": comparison_plots.learning_curves(groups),
        f"Options against {metric}": comparison_plots.options(groups, metric),
        "Accuracy against latency": comparison_plots.front(groups),
        "What decided in the search": comparison_plots.importance(importance)
        if importance
        else None,
    }
    html.write(file, title, [shown, html.plots(figures)])
