"""What ``python -m benchmarks batching`` does.

The server is compared with itself under other settings, in turn and in one run, with a small and a
heavy model.
"""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import progress
from benchmarks.fixtures import heavy_model, small_model
from benchmarks.load import rounds
from benchmarks.load.rounds import Measurement, Shape, Target
from benchmarks.progress import Step
from benchmarks.system import machine, servers

SINGLE = Shape(1, 16)
HEAVY_GAIN = 2.0
ALONE = ("--max-batch-rows", "1")
THREAD = ("--inference-threads", "1")
PLAIN = "no shared runs"
VARIANTS: dict[str, Sequence[str]] = {
    PLAIN: ALONE,
    "shared runs": (),
    "shared runs, 1 ms delay": ("--batch-delay-ms", "1"),
    "one thread, no shared runs": (*THREAD, *ALONE),
    "one thread, shared runs": THREAD,
}
GAINING = ("shared runs", "one thread, shared runs")


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure each variant with both models, and print ratios to the plainest.

    Raises:
        BenchmarkError: a server can't be started, or fails requests.

    """
    with console.status("making the models, where there are none"):
        repositories = {"small": small_model.models(), "heavy": heavy_model.models()}
    table = Table("model", "variant", "rows/s", "ratio", "p99, ratio", "CPU a row, ratio", "target")
    total = len(repositories) * len(VARIANTS) * wanted.rounds
    with progress.steps(console, total) as step:
        for what, models in repositories.items():
            add_rows(table, what, compare(models, wanted.rounds, wanted.seconds, step))
    progress.out(120).print(table)
    print(machine.circumstances())


def compare(models: Path, count: int, seconds: float, step: Step) -> dict[str, list[Measurement]]:
    """Measurements of each variant at 16 connections of one row."""
    request = small_model.requests([1])[1]
    with ExitStack() as opened:
        running = [
            opened.enter_context(servers.ours(models, *arguments))
            for arguments in VARIANTS.values()
        ]
        targets = [Target(server, request) for server in running]
        measured = rounds.alternate(targets, SINGLE, count, seconds, lambda: step(models.name))
    return dict(zip(VARIANTS, measured, strict=True))


def add_rows(table: Table, what: str, measured: Mapping[str, Sequence[Measurement]]) -> None:
    """A row for each variant, as ratios to the plainest."""
    plain = measured[PLAIN]
    for variant, mine in measured.items():
        rate = rounds.ratio(mine, plain, lambda one: one.rows_per_second)
        tail = rounds.ratio(mine, plain, lambda one: one.p99)
        cpu = rounds.ratio(mine, plain, lambda one: one.cpu_per_row)
        absolute = statistics.median(one.rows_per_second for one in mine)
        verdict = ""
        if what == "heavy" and variant in GAINING:
            met = "pass" if rate >= HEAVY_GAIN else "[bold]falls short[/]"
            verdict = f"rows/s >= {HEAVY_GAIN:g}: {met}"
        figures = (f"{absolute:,.0f}", f"{rate:.2f}", f"{tail:.2f}", f"{cpu:.2f}")
        table.add_row(what, variant, *figures, verdict)
