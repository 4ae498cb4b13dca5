"""docs/cpu-per-row.svg: CPU time per row of each server, from the table in docs/benchmarks.md."""

import re

from docs.generate import svg
from tests.imports import ROOT

_COLUMN = re.compile(r"CPU µs (?:a|per) row, 32 x 4")
_LONGEST = 160.0  # µs; a longer bar is cut, and its number says how long it is
_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 860, 30, 270, 90, 64
_TITLE = "CPU time per row, µs (less is better)"
_LOAD = "32 rows per request, 4 connections, JSON"


def draw() -> str:
    """The picture, with a bar for each server of the table."""
    text = (ROOT / "docs/benchmarks.md").read_text()
    source = re.sub("`[^`]*`, ", "", _between(text, "compare circumstances").splitlines()[0])
    figures = sorted(_figures(_between(text, "compare")), key=lambda pair: pair[1])
    height = _TOP + _ROW * len(figures) + 12
    bars = [_bar(number, *figure) for number, figure in enumerate(figures)]
    label = f"{_TITLE}: " + ", ".join(f"{name} {value:g}" for name, value in figures)
    heading = [
        svg.text(20, 28, _TITLE, size=17, weight=600),
        svg.text(20, 48, f"{_LOAD}; {source}", size=14, fill=svg.MUTED),
    ]
    return svg.document(_WIDTH, height, label, heading + bars)


def _between(text: str, marker: str) -> str:
    """What stands between the two comments of a marker."""
    begin = text.index(f"<!-- {marker} -->\n") + len(f"<!-- {marker} -->\n")
    return text[begin : text.index(f"<!-- /{marker} -->", begin)]


def _figures(table: str) -> list[tuple[str, float]]:
    """Server and CPU time in µs per row, for each line of a Markdown table."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    head, _, *rows = [line for line in lines if line]
    (column,) = [number for number, title in enumerate(head) if _COLUMN.fullmatch(title)]
    shown = [row for row in rows if row[column] != "–"]
    return [(re.sub(r" \(.*\)$", "", row[0]), _number(row[column])) for row in shown]


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _bar(number: int, name: str, value: float) -> str:
    top = _TOP + _ROW * number
    longest = _WIDTH - _LEFT - _RIGHT
    length = longest * min(value / _LONGEST, 1)
    middle = top + 19
    colour = "#0d7a68" if name.startswith("onnxlet") else svg.LINE
    parts = [
        svg.text(_LEFT - 10, middle, name, size=14, anchor="end"),
        f'<rect x="{_LEFT}" y="{top + 4}" width="{length:.1f}" height="21" rx="3"'
        f' fill="{colour}"/>',
        svg.text(round(_LEFT + length + 8), middle, f"{value:,g}", size=14),
    ]
    if value > _LONGEST:
        cut = _LEFT + length - 24
        parts.append(
            f'<path d="M{cut} {top + 28}l8 -27m5 0l-8 27" stroke="#ffffff" stroke-width="3"/>'
        )
    return "".join(parts)
