"""A comparison as a self-contained HTML page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import html
from train.compare import comparison_plots, comparison_table
from train.compare.run_groups import Group, differing, metrics_of


def write(
    groups: Sequence[Group], importance: Mapping[str, float], metric: str, title: str, file: Path
) -> None:
    """Write the page; ``importance`` is that of each option, if the runs are of a search.

    Raises:
        CommandError: the file can't be written.

    """
    options, metrics = differing(groups), metrics_of(groups)
    rows = comparison_table.rows(groups, options, metrics)
    shown = html.table(comparison_table.header(options, metrics), rows, best_first=True)
    figures = {
        "Learning curves": comparison_plots.learning_curves(groups),
        f"{metric} by option": comparison_plots.options(groups, metric),
        "Accuracy by latency": comparison_plots.pareto_front(groups),
        "Importance of the options": comparison_plots.importance(importance)
        if importance
        else None,
    }
    html.write(file, title, [shown, html.plots(figures)])
