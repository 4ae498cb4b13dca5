"""What ``python -m benchmarks run`` does."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import progress
from benchmarks.errors import BenchmarkError
from benchmarks.load import golden_rows
from benchmarks.load.locust_process import Target
from benchmarks.report import files, grid_page
from benchmarks.report.grid_report import HEAD, Report, row
from benchmarks.run import grid
from benchmarks.run.grid import Grid
from benchmarks.run.grid_point import Measured
from benchmarks.system import affinity, machine, servers
from benchmarks.system.monitor import Meter
from benchmarks.system.servers import Server

_WIDE = ("p90 ms", "p95 ms", "p99.9 ms", "answers")


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure, write the report, and log it.

    Raises:
        BenchmarkError: there is nothing to measure, or a measurement came to nothing.

    """
    _check(wanted)
    chosen = grid.QUICK if wanted.quick else Grid()
    cpus = affinity.everywhere() if wanted.host else affinity.halves()
    os.sched_setaffinity(0, cpus.generator)  # this process looks at the server meanwhile
    with _served(wanted, cpus) as (server, host):
        model, metadata = golden_rows.served(host, wanted.name)
        target = Target(host, model.name, wanted.data)
        with progress.steps(console, len(chosen.cells()) * chosen.repeats) as step:
            cells, meter = grid.measure(chosen, target, cpus, server, step)
    report = Report(
        command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        circumstances=machine.described(wanted.host) | {"placing": _placing(wanted, cpus)},
        model={"name": wanted.name, "version": "?", **metadata.get("provenance", {})},
        cells=cells,
        memory=_memory(meter),
    )
    _show(cells)
    _write(report, wanted.out, console)
    if wanted.markdown:
        report.put_into(wanted.markdown)
        console.print(f"wrote {wanted.markdown}", highlight=False, soft_wrap=True)
    _log(wanted, report, console)


def _check(wanted: argparse.Namespace) -> None:
    """Fail before minutes of measuring, not after them."""
    files.make_folder(wanted.out)
    if wanted.markdown and not wanted.markdown.is_file():
        raise BenchmarkError(f"{wanted.markdown} is no file")


@contextmanager
def _served(
    wanted: argparse.Namespace, cpus: affinity.Placing
) -> Iterator[tuple[Server | None, str]]:
    """The server that was started here, if any, and its address."""
    if wanted.host:
        yield None, wanted.host.rstrip("/")
        return
    if not (wanted.models / wanted.name).is_dir():
        raise BenchmarkError(
            f"{wanted.models} has no model {wanted.name}: publish one (make model)"
        )
    with servers.ours(
        wanted.models, "--default-model", wanted.name, workers=len(cpus.server), cpus=cpus.server
    ) as server:
        yield server, server.base


def _placing(wanted: argparse.Namespace, cpus: affinity.Placing) -> str:
    if wanted.host:
        return "the load may use all CPUs of its machine"
    shared = "" if cpus.apart else "; they share one CPU, so that each slows the other"
    return f"{len(cpus.server)} worker{'s' * (len(cpus.server) > 1)}; {cpus}{shared}"


def _memory(meter: Meter | None) -> list[tuple[float, float]]:
    samples = meter.samples if meter else []
    return [(round(one.at - samples[0].at, 2), round(one.memory, 2)) for one in samples]


def _write(report: Report, folder: Path, console: Console) -> None:
    report.write_json(folder / "report.json")
    report.write_markdown(folder / "report.md")
    grid_page.write(report, folder / "report.html")
    console.print(f"wrote {folder}/report.html, .md and .json", highlight=False, soft_wrap=True)


def _show(cells: Sequence[Measured]) -> None:
    """Print the table without the columns that a terminal has no room for."""
    kept = [place for place, head in enumerate(HEAD) if head not in _WIDE]
    table = Table(*(HEAD[place] for place in kept))
    for column in table.columns[1:-1]:
        column.justify = "right"
    for one in cells:
        cells_of = row(one)
        table.add_row(*(cells_of[place] for place in kept))
    progress.out(160).print(table)


def _log(wanted: argparse.Namespace, report: Report, console: Console) -> None:
    """Log into MLflow; that it can't is told, and loses nothing."""
    reference = next(one for one in report.cells if one.cell == grid.REFERENCE)
    if faults := reference.faults:
        console.print(f"not logged into MLflow: {reference.cell}: {'; '.join(faults)}")
        return
    with console.status("loading MLflow"):
        from benchmarks.report import mlflow_run
    try:
        told = mlflow_run.log(wanted.out, report.model, reference)
    except BenchmarkError as error:
        told = f"not logged into MLflow: {error}"
    console.print(told, highlight=False, soft_wrap=True)
