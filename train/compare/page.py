"""The comparison as one page that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from plotly.graph_objects import Figure

from train.compare import plots, table
from train.compare.groups import Group, differing, measured
from train.errors import TrainError

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem;
  color: #1c2733; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 13px; }
th, td { padding: .35rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid #dde3ea; }
th:first-child, td:first-child { text-align: left; }
tr:first-child td { font-weight: 600; }
th { background: #f3f6f9; }
"""


def write(
    groups: Sequence[Group], importance: Mapping[str, float], metric: str, title: str, file: Path
) -> None:
    """Write the page; ``importance`` is of each option, where a search has told it.

    Raises:
        TrainError: the file can't be written.

    """
    parts = [f"<h1>{escape(title)}</h1>", _table(groups)]
    shown = {
        "Learning curves": plots.learning_curves(groups),
        f"Options against {metric}": plots.options(groups, metric),
        "Accuracy against latency": plots.front(groups),
    }
    if importance:
        shown["What decided in the search"] = plots.importance(importance)
    for number, (heading, figure) in enumerate(shown.items()):
        if figure is not None:
            parts += [f"<h2>{escape(heading)}</h2>", _div(figure, first=number == 0)]
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    try:
        file.write_text(f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}")
    except OSError as error:
        raise TrainError(f"{file}: {error.strerror}") from None


def _table(groups: Sequence[Group]) -> str:
    options, measures = differing(groups), measured(groups)
    head = "".join(f"<th>{escape(text)}</th>" for text in table.header(options, measures))
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>"
        for row in table.rows(groups, options, measures)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _div(figure: Figure, *, first: bool) -> str:
    """A plot; the first one brings the library that draws all of them."""
    figure.update_layout(template="plotly_white", margin={"t": 40, "r": 20})
    return str(
        figure.to_html(full_html=False, include_plotlyjs=first, config={"displayModeBar": False})
    )
