"""Self-contained HTML pages with tables and plots."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from plotly.graph_objects import Figure

from cli.errors import CommandError

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; padding: 0 1rem;
  color: #1c2733; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 13px; }
th, td { padding: .35rem .7rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid #dde3ea; }
th:first-child, td:first-child { text-align: left; }
.best-first tbody tr:first-child td { font-weight: 600; }
th { background: #f3f6f9; }
"""


def write(file: Path, title: str, parts: Iterable[str]) -> None:
    """Write a page; ``parts`` are HTML.

    Raises:
        CommandError: the file can't be written.

    """
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    body = f"<h1>{escape(title)}</h1>{''.join(parts)}"
    try:
        file.write_text(f"<!doctype html><html lang=en><head>{head}</head><body>{body}")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, best_first: bool = False) -> str:
    """Create the HTML of a table; its first column is text."""
    heads = "".join(f"<th>{escape(text)}</th>" for text in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows
    )
    kind = " class=best-first" if best_first else ""
    return f"<table{kind}><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def plots(figures: Mapping[str, Figure | None]) -> str:
    """Create the HTML of each figure below its heading; those that are None are left out."""
    shown = [(heading, figure) for heading, figure in figures.items() if figure is not None]
    return "".join(
        f"<h2>{escape(heading)}</h2>{_div(figure, first=number == 0)}"
        for number, (heading, figure) in enumerate(shown)
    )


def _div(figure: Figure, *, first: bool) -> str:
    """Create the HTML of a plot; the first one includes plotly.js."""
    figure.update_layout(template="plotly_white", margin={"t": 40, "r": 20})
    return str(
        figure.to_html(full_html=False, include_plotlyjs=first, config={"displayModeBar": False})
    )
