"""Figures, what they should be, and whether they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    measured: float
    target: str = ""
    met: bool | None = None
    """None for a figure without a target."""
    unit: str = ""


def at_most(what: str, measured: float, bound: float, unit: str = "") -> Line:
    """A figure that should not be larger than ``bound``."""
    return Line(what, measured, f"<= {bound:g}{unit}", measured <= bound, unit)


def at_least(what: str, measured: float, bound: float, unit: str = "") -> Line:
    """A figure that should not be smaller than ``bound``."""
    return Line(what, measured, f">= {bound:g}{unit}", measured >= bound, unit)


def table(lines: Sequence[Line]) -> Table:
    """The lines, for people."""
    shown = Table("figure", "measured", "target", "verdict")
    shown.columns[1].justify = "right"
    for line in lines:
        verdict = {None: "", True: "pass", False: "[bold]falls short[/]"}[line.met]
        figure = f"{line.measured:,.0f}" if line.measured >= 1000 else f"{line.measured:.3g}"
        shown.add_row(line.what, figure + line.unit, line.target, verdict)
    return shown
