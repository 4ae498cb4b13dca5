"""The few shapes that a drawing needs, as SVG text."""

import html
from dataclasses import dataclass

INK, MUTED, LINE = "#1f2328", "#57606a", "#8c959f"
LINE_HEIGHT = 13.0
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


@dataclass(frozen=True)
class Box:
    """A rectangle with a name and some lines of text; all lengths are in pixels."""

    name: str
    lines: tuple[str, ...]
    left: float
    top: float
    width: float
    height: float
    fill: str
    stroke: str

    @property
    def middle(self) -> float:
        """The horizontal centre."""
        return self.left + self.width / 2

    def svg(self) -> str:
        """The rectangle, the name in it, and the lines below the name."""
        parts = [
            f'<rect x="{self.left:g}" y="{self.top:g}" width="{self.width:g}"'
            f' height="{self.height:g}" rx="7" fill="{self.fill}" stroke="{self.stroke}"/>',
            text(self.middle, self.top + 20, self.name, size=14, weight=600, anchor="middle"),
        ]
        for number, line in enumerate(self.lines):
            y = self.top + 36 + LINE_HEIGHT * number
            parts.append(text(self.middle, y, line, size=11, fill=MUTED, anchor="middle"))
        return "\n".join(parts)


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: int = 12,
    weight: int = 400,
    fill: str = INK,
    anchor: str = "start",
) -> str:
    """A line of text."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{fill}"'
        f' text-anchor="{anchor}">{html.escape(content)}</text>'
    )


def badge(x: float, y: float, number: int, fill: str) -> str:
    """A numbered circle: a step of a path."""
    circle = f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="{fill}"/>'
    return circle + text(x, y + 4, str(number), size=11, weight=600, fill="#fff", anchor="middle")


def arrow(upper: Box, lower: Box) -> str:
    """An arrow down to the next row, or around the rows between on the right."""
    x1, y1 = upper.middle, upper.top + upper.height
    x2, y2 = lower.middle, lower.top
    bend = (y2 - y1) / 2
    curve = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
    if y2 - y1 > 2 * lower.height:
        x1, y1 = upper.left + upper.width, upper.top + upper.height / 2
        x2 = lower.left + lower.width * 0.75
        curve = f"M{x1:g} {y1:g}C{x2:g} {y1:g} {x2:g} {y1 + 40:g} {x2:g} {y2:g}"
    return (
        f'<path d="{curve}" fill="none" stroke="{LINE}" stroke-width="1.2"'
        ' marker-end="url(#arrow)"/>'
    )


def document(width: float, height: float, label: str, parts: list[str]) -> str:
    """A whole SVG file on a white ground, so that it can be read in dark mode too."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
            f' font-family="{FONT}" role="img" aria-label="{html.escape(label)}">',
            '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
            f' markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="{LINE}"/></marker>'
            "</defs>",
            f'<rect width="{width:g}" height="{height:g}" rx="10" fill="#ffffff"/>',
            *parts,
            "</svg>",
            "",
        ]
    )
