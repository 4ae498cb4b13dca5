"""What ``python -m benchmarks guard`` does."""

import argparse
import dataclasses
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import progress
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model
from benchmarks.peers import peer_environment
from benchmarks.peers.peer_list import PEERS
from benchmarks.regress import ratios
from benchmarks.regress.ratios import AT_LEAST, AT_MOST, REFERENCE, Ratios
from benchmarks.report import files
from benchmarks.system import machine

FILE = Path(__file__).parent / "reference.json"


@dataclass(frozen=True)
class Spread:
    """One ratio, over the rounds of a run."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """One ratio now, and as it is committed."""

    what: str
    now: Spread
    before: Spread | None

    @property
    def moved(self) -> bool:
        """By more than the noise of both runs: no round of the one is among those of the other?"""
        before, now = self.before, self.now
        return before is not None and (now.low > before.high or now.high < before.low)

    @property
    def target(self) -> str:
        """What the ratio is to be, whatever it was before; empty where nobody has said."""
        if self.what in AT_MOST:
            return f"<= {AT_MOST[self.what]:g}"
        return f">= {AT_LEAST[self.what]:g}" if self.what in AT_LEAST else ""

    @property
    def missed(self) -> bool:
        """Is the median beyond it?"""
        return self.now.median > AT_MOST.get(self.what, math.inf) or self.now.median < AT_LEAST.get(
            self.what, 0
        )


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure, and say what has moved; ``--update`` commits to what was measured.

    Raises:
        BenchmarkError: a server can't be started or fails requests.

    """
    reference = {} if wanted.update else _reference()
    with console.status("training the model, where there is none"):
        models = small_model.models()
    peer_environment.install(REFERENCE, PEERS[REFERENCE], console)
    with progress.steps(console, ratios.steps(wanted.rounds)) as step:
        measured = ratios.measure(models, wanted.rounds, wanted.seconds, step)
    found = verdicts(measured, reference)
    progress.out(140).print(table(found), highlight=False)
    told = [f"moved: {one.what}" for one in found if one.moved]
    told += [f"no longer measured: {what}" for what in reference if what not in measured]
    if reference and not told:
        told = ["nothing moved by more than the noise"]
    told += [f"beyond its target: {one.what}, {one.target}" for one in found if one.missed]
    told.append(machine.circumstances())
    print("\n".join(told))
    if wanted.update:
        kept = {one.what: dataclasses.asdict(one.now) for one in found}
        files.write_json({"circumstances": machine.circumstances(), "ratios": kept}, FILE)
        console.print(f"wrote {FILE}", highlight=False, soft_wrap=True)


def verdicts(measured: Ratios, reference: Mapping[str, Spread]) -> list[Verdict]:
    """Each ratio beside the one that is committed."""
    return [
        Verdict(what, _spread(values), reference.get(what)) for what, values in measured.items()
    ]


def _spread(values: Sequence[float]) -> Spread:
    return Spread(*(round(one, 4) for one in (statistics.median(values), min(values), max(values))))


def table(found: Sequence[Verdict]) -> Table:
    """For people."""
    shown = Table("ratio", "committed", "now", "target", "")
    for column in shown.columns[1:4]:
        column.justify = "right"
    for one in found:
        change = f"{one.now.median / one.before.median - 1:+.0%}" if one.before else ""
        verdict = f"[bold]moved by {change}[/]" if one.moved else ""
        target = f"[bold]{one.target}[/]" if one.missed else one.target
        shown.add_row(one.what, _text(one.before), _text(one.now), target, verdict)
    return shown


def _text(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    return f"{spread.median:.3f} ({spread.low:.3f} to {spread.high:.3f})"


def _reference() -> dict[str, Spread]:
    try:
        kept = json.loads(FILE.read_text())["ratios"]
        return {what: Spread(**spread) for what, spread in kept.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{FILE} is no reference: {error}") from None
