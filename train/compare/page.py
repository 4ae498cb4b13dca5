"""The comparison as one page that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import html
from train.compare import plots, table
from train.compare.groups import Group, differing, measured


def write(
    groups: Sequence[Group], importance: Mapping[str, float], metric: str, title: str, file: Path
) -> None:
    """Write the page; ``importance`` is of each option, where a search has told it.

    Raises:
        TrainError: the file can't be written.

    """
    options, measures = differing(groups), measured(groups)
    rows = table.rows(groups, options, measures)
    shown = html.table(table.header(options, measures), rows, best_first=True)
    figures = {
        "Learning curves": plots.learning_curves(groups),
        f"Options against {metric}": plots.options(groups, metric),
        "Accuracy against latency": plots.front(groups),
        "What decided in the search": plots.importance(importance) if importance else None,
    }
    html.write(file, title, [shown, html.plots(figures)])
