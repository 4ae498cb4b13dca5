"""What ``python -m benchmarks capacity`` does."""

import argparse
import dataclasses
import math
import statistics
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import progress
from benchmarks.capacity import replica_plan, service, usl
from benchmarks.capacity.measure import USERS, WORKERS, Bench, Measured
from benchmarks.capacity.replica_plan import Plan, Replica
from benchmarks.load.locust_process import Load
from benchmarks.load.prepared_request import MIX, MIXED
from benchmarks.report import files
from benchmarks.system import affinity, machine

TARGETS = (1_000.0, 10_000.0, 100_000.0, 1_000_000.0)
_LONG_MS = 1000.0  # a simulated p99 that says no more than that the queue grows
_PROBES = 8  # of a search, about: the progress bar's guess


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure, plan, and print both.

    Raises:
        BenchmarkError: not even a small rate holds.

    """
    files.make_folder(wanted.out.parent)
    cpus = affinity.halves()
    load = Load(
        "Open",
        users=len(cpus.generator),  # which share the rate, each in a process
        rows=wanted.rows,
        dialect=wanted.dialect,
        warm_up=wanted.seconds / 5,
        measure=wanted.seconds,
    )
    total = len(USERS) + len(MIX) + len(WORKERS) + _PROBES * wanted.searches
    with progress.steps(console, total) as step:
        bench = Bench(wanted.models, wanted.name, wanted.data, load, cpus, step)
        made = bench.measure(wanted.p99, wanted.searches)
    with console.status("simulating"):
        replica = _replica(made, wanted.rows, len(cpus.server))
        plans = [
            replica_plan.plan(target, replica, wanted.headroom)
            for target in wanted.target_rps or TARGETS
        ]
        told = _told(made, replica, wanted, str(cpus))
        tried = _tried(made, replica)
    print("\n".join(told))
    out = progress.out(120)
    out.print(tried, _planned(plans, wanted.p99), highlight=False)
    print(machine.circumstances())
    _write(made, plans, told, wanted.out)
    console.print(f"wrote {wanted.out}", highlight=False, soft_wrap=True)


def _replica(made: Measured, rows: str, workers: int) -> Replica:
    return Replica(min(made.found), workers, service.drawn(made.sizes, rows, made.best.cpu))


def _told(made: Measured, replica: Replica, wanted: argparse.Namespace, placed: str) -> list[str]:
    found, best = made.found, made.best
    each = sum(size * share for size, share in MIX.items()) / 100
    rows = each if wanted.rows == MIXED else int(wanted.rows)
    assert best.p99  # noqa: S101 - it held
    lines = [
        f"One replica ({replica.workers} worker{'s' * (replica.workers > 1)}; {placed}) holds"
        f" {statistics.median(found):,.0f} requests/s within a p99 of {wanted.p99:g} ms, of"
        f" {rows:g} rows on average: {statistics.median(found) * rows:,.0f} rows/s.",
        f"{len(found)} searches found {', '.join(f'{rate:,.0f}' for rate in found)}; replicas are"
        " planned with the lowest.",
        f"At {best.rate:,.0f}/s the p99 was {best.p99} ms over {best.p99.count:,} answers; a"
        f" request took {best.cpu * 1e6:,.0f} µs of CPU.",
        f"Users: {usl.fit(list(made.users), list(made.users.values()))}",
        f"Workers, on CPUs that the load shares: "
        f"{usl.fit(list(made.workers), list(made.workers.values()))}",
    ]
    if made.generator_lacks:
        lines.append("The load generator ran out of CPU beyond that: a replica may hold more.")
    return lines


def _tried(made: Measured, replica: Replica) -> Table:
    """The rates of all searches, and what the simulation makes of each."""
    shown = Table(
        "requests/s",
        "answered/s",
        "p99 ms",
        "simulated",
        "failures",
        "load's CPU",
        title="Rates that were tried",
    )
    for column in shown.columns:
        column.justify = "right"
    probes = [one for searched in made.searches for one in searched]
    for one in sorted(probes, key=lambda one: one.rate):
        simulated = replica.p99_ms(one.rate)
        shown.add_row(
            f"{one.rate:,.0f}",
            f"{one.reached:,.0f}",
            str(one.p99 or "–"),
            f"{simulated:.2f}" if simulated < _LONG_MS else "piles up",
            f"{one.failures:,}",
            f"{one.generator_share:.0%}",
        )
    return shown


def _planned(plans: list[Plan], p99_ms: float) -> Table:
    shown = Table(
        "requests/s",
        "replicas",
        "cores",
        "p99 ms, simulated",
        "with one replica down",
        f"within {p99_ms:g} ms",
        title="Replicas, one of them in reserve",
    )
    for column in shown.columns:
        column.justify = "right"
    for one in plans:
        shown.add_row(
            f"{one.target:,.0f}",
            f"{one.replicas:,}",
            f"{one.cores:,}",
            f"{one.p99_ms:.2f}",
            f"{one.p99_one_down_ms:.2f}",
            "yes" if one.p99_one_down_ms <= p99_ms else "no",
        )
    return shown


def _write(made: Measured, plans: list[Plan], told: list[str], file: Path) -> None:
    kept = {
        "told": told,
        "circumstances": machine.described(),
        "searches": [[dataclasses.asdict(one) for one in tried] for tried in made.searches],
        "found": made.found,
        "users": made.users,
        "workers": made.workers,
        "plans": [_finite(dataclasses.asdict(one)) for one in plans],
    }
    files.write_json(kept, file)


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    """JSON has no infinity."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
