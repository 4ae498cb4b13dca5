"""A comparison as a self-contained HTML page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import html
from tracking import metrics
from train.compare import comparison_plots, comparison_table
from train.compare.run_groups import Group, differing, metrics_of


def write(
    groups: Sequence[Group],
    task: str,
    importance: Mapping[str, float],
    metric: str,
    title: str,
    file: Path,
) -> None:
    """Write the page.

    Args:
        groups: the lines of the comparison.
        task: of their runs.
        importance: of each option, if the runs are of a search.
        metric: by which the groups are sorted.
        title: of the page.
        file: to write.

    Raises:
        CommandError: the file can't be written.

    """
    options, shown_metrics = differing(groups), metrics_of(groups)
    head, rows = comparison_table.cells(groups, options, shown_metrics)
    shown = html.table(head, rows, best_first=True)
    figures = {
        "Learning curves": comparison_plots.learning_curves(groups, task),
        f"{metric} by option": comparison_plots.options(groups, metric),
        f"{metrics.PRIMARY_TITLES[task]} by latency": comparison_plots.pareto_front(groups, task),
        "Importance of the options": comparison_plots.importance(importance)
        if importance
        else None,
    }
    html.write(file, title, [shown, html.plots(figures)])
