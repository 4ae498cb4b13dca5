"""``make bench-batching``: what shared runs, a delay and threads do, for a small and a heavy model.

The server is compared with itself under other settings, in turn and in one run.
"""

import argparse
import functools
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import machine, prepare, rounds, servers
from benchmarks.errors import BenchmarkError
from benchmarks.rounds import Measurement, Shape, Target
from train.errors import TrainError

SINGLE = Shape(1, 16)
HEAVY_GAIN = 2.0
ALONE = ("--max-batch", "1")
THREAD = ("--threads", "1")
VARIANTS: dict[str, Sequence[str]] = {
    "no shared runs": ALONE,
    "shared runs": (),
    "shared runs, 1 ms delay": ("--batch-delay", "1"),
    "one thread, no shared runs": (*THREAD, *ALONE),
    "one thread, shared runs": THREAD,
}


def compare(
    what: str, models: Path, count: int, seconds: float, console: Console
) -> dict[str, list[Measurement]]:
    """Measurements of each variant at 16 connections of one row."""
    request = prepare.requests([1])[1]
    with ExitStack() as opened:
        running = [
            opened.enter_context(servers.ours(models, *arguments))
            for arguments in VARIANTS.values()
        ]
        progress = opened.enter_context(
            Progress(console=console, transient=True, disable=not console.is_terminal)
        )
        task = progress.add_task(what, total=count * len(VARIANTS))
        step = functools.partial(progress.advance, task)
        targets = [Target(server, request) for server in running]
        measured = rounds.alternate(targets, SINGLE, count, seconds, step)
    return dict(zip(VARIANTS, measured, strict=True))


def add_rows(table: Table, what: str, measured: dict[str, list[Measurement]]) -> None:
    """A row for each variant, as ratios to the plainest."""
    plain = measured["no shared runs"]
    for variant, mine in measured.items():
        rate = rounds.ratio(mine, plain, lambda one: one.rows_per_second)
        tail = rounds.ratio(mine, plain, lambda one: one.p99)
        cpu = rounds.ratio(mine, plain, lambda one: one.cpu_per_row)
        absolute = statistics.median(one.rows_per_second for one in mine)
        wanted = what == "heavy" and variant in ("shared runs", "one thread, shared runs")
        verdict = ""
        if wanted:
            met = "pass" if rate >= HEAVY_GAIN else "[bold]falls short[/]"
            verdict = f"rows/s >= {HEAVY_GAIN:g}: {met}"
        figures = (f"{absolute:,.0f}", f"{rate:.2f}", f"{tail:.2f}", f"{cpu:.2f}")
        table.add_row(what, variant, *figures, verdict)


def main() -> int:
    """Run the command line; the status is 0 even where a target is missed: this is no test."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.batching",
        description="Compare the server with itself without shared runs, at 16 connections of one"
        " row, 2 workers.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each variant")
    parser.add_argument("--seconds", type=float, default=4, help="of each variant in a round")
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table("model", "variant", "rows/s", "ratio", "p99, ratio", "CPU a row, ratio", "target")
    try:
        for what, models in (("small", prepare.models()), ("heavy", prepare.heavy_models())):
            measured = compare(what, models, chosen.rounds, chosen.seconds, console)
            add_rows(table, what, measured)
    except (BenchmarkError, TrainError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    console.print(table)
    console.print(machine.circumstances(), highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
