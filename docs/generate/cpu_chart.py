"""docs/cpu-per-row.svg: CPU time per row of each server, from the table in docs/benchmarks.md."""

import re
from html import escape

from tests.imports import ROOT

_COLUMN = re.compile(r"CPU µs (?:a|per) row, 32 x 4")
_LONGEST = 160.0  # µs; a longer bar is cut, and its number says how long it is
_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 860, 30, 270, 90, 64
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
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
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
            f' font-family="{_FONT}" font-size="14" role="img" aria-label="{escape(label)}">',
            f'<rect width="{_WIDTH}" height="{height}" rx="10" fill="#ffffff"/>',
            f'<text x="20" y="28" font-size="17" font-weight="600" fill="#1f2328">{_TITLE}</text>',
            f'<text x="20" y="48" fill="#57606a">{_LOAD}; {escape(source)}</text>',
            *bars,
            "</svg>\n",
        ]
    )


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
    parts = [
        f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end" fill="#1f2328">'
        f"{escape(name)}</text>",
        f'<rect x="{_LEFT}" y="{top + 4}" width="{length:.1f}" height="21" rx="3"'
        f' fill="{"#0d7a68" if name.startswith("onnxlet") else "#8c959f"}"/>',
        f'<text x="{_LEFT + length + 8:.1f}" y="{middle}" fill="#1f2328">{value:,g}</text>',
    ]
    if value > _LONGEST:
        cut = _LEFT + length - 24
        parts.append(
            f'<path d="M{cut} {top + 28}l8 -27m5 0l-8 27" stroke="#ffffff" stroke-width="3"/>'
        )
    return "".join(parts)
