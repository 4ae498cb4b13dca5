"""What ``python -m benchmarks guard`` does."""

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import display, machine, prepare
from benchmarks.errors import BenchmarkError
from benchmarks.guard import ratios
from benchmarks.guard.ratios import REFERENCE, Ratios
from benchmarks.peers import environment
from benchmarks.peers.table import PEERS

FILE = Path(__file__).parent / "reference.json"


@dataclass(frozen=True)
class Verdict:
    """One ratio now, and as it is committed."""

    what: str
    now: float
    """The median of the rounds."""
    noise: float
    """How far the rounds of this run lie apart."""
    before: float | None

    @property
    def moved(self) -> bool:
        """By more than the noise?"""
        return self.before is not None and abs(self.now - self.before) > self.noise


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure, and say what has moved; ``--update`` commits to what was measured.

    Raises:
        BenchmarkError: a server can't be started or fails requests.

    """
    with console.status("training the model, where there is none"):
        models = prepare.models()
    environment.install(REFERENCE, PEERS[REFERENCE], console)
    with display.steps(console, ratios.steps(wanted.rounds)) as step:
        measured = ratios.measure(models, wanted.rounds, wanted.seconds, step)
    found = verdicts(measured, _reference())
    Console(width=None if sys.stdout.isatty() else 120).print(table(found), highlight=False)
    moved = [one.what for one in found if one.moved]
    print("\n".join(f"moved: {what}" for what in moved) or "nothing moved by more than the noise")
    print(machine.circumstances())
    if wanted.update:
        kept = {what: round(statistics.median(values), 4) for what, values in measured.items()}
        document = {"circumstances": machine.circumstances(), "ratios": kept}
        FILE.write_text(json.dumps(document, indent=2) + "\n")
        console.print(f"wrote {FILE}", highlight=False, soft_wrap=True)


def verdicts(measured: Ratios, reference: Mapping[str, float]) -> list[Verdict]:
    """Each ratio beside the one that is committed."""
    return [
        Verdict(what, statistics.median(values), max(values) - min(values), reference.get(what))
        for what, values in measured.items()
    ]


def table(found: Sequence[Verdict]) -> Table:
    """For people."""
    shown = Table("ratio", "committed", "now", "noise", "")
    for column in shown.columns[1:4]:
        column.justify = "right"
    for one in found:
        before = "–" if one.before is None else f"{one.before:.3f}"
        change = "" if one.before is None else f"{one.now / one.before - 1:+.0%}"
        verdict = f"[bold]moved by {change}[/]" if one.moved else ""
        shown.add_row(one.what, before, f"{one.now:.3f}", f"{one.noise:.3f}", verdict)
    return shown


def _reference() -> dict[str, float]:
    try:
        return dict(json.loads(FILE.read_text())["ratios"])
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError) as error:
        raise BenchmarkError(f"{FILE} is no reference: {error}") from None
