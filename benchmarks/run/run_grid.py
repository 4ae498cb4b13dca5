"""``python -m benchmarks run``: a served model under a grid of loads, and a report of it."""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks import progress
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model
from benchmarks.load import golden_rows
from benchmarks.load.prepared_request import RequestPool
from benchmarks.report import tables
from benchmarks.run import grid, grid_page
from benchmarks.run.grid import Grid, GridTarget
from benchmarks.run.grid_point import PointResult
from benchmarks.run.grid_report import COLUMNS, NAMES, GridReport, cells
from benchmarks.system import affinity, machine, servers
from benchmarks.system.affinity import Affinity
from benchmarks.system.servers import Server

_WIDE = ("p90 ms", "p95 ms", "p99.9 ms", "requests")  # columns that a terminal has no room for


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, write the report, and log it.

    Raises:
        BenchmarkError: there is nothing to measure, or a measurement failed.

    """
    options.out.mkdir(parents=True, exist_ok=True)  # fails before minutes of measuring
    tables.check_document(options.markdown)
    small_model.prepare(options.models, console)
    chosen = replace(grid.QUICK if options.quick else Grid(), protocol=options.protocol)
    cpus = affinity.all_cpus() if options.host else affinity.halves()
    os.sched_setaffinity(0, cpus.generator)  # this process watches the server meanwhile
    with _server(options, cpus) as server:
        host = server.base if server else options.host.rstrip("/")
        served = golden_rows.served(host, options.model, options.models)
        pool = RequestPool(served.model, served.rows)
        target = GridTarget(host, pool, cpus.generator, server)
        with progress.steps(console, len(chosen.points()) * chosen.repeats) as step:
            results = grid.measure(chosen, target, step)
    placement = str(cpus) if server else "the load may use all CPUs of its machine"
    report = GridReport(
        circumstances=machine.description(options.host) | {"placement": placement},
        model={"name": options.model, "version": served.version, **served.provenance},
        results=results,
    )
    _show(results)
    _write(report, options, console)
    _log(
        options.out, report, next(one for one in results if one.point == chosen.reference), console
    )


@contextmanager
def _server(options: argparse.Namespace, cpus: Affinity) -> Iterator[Server | None]:
    """The server, if it is started here."""
    if options.host:
        yield None
        return
    if not (options.models / options.model).is_dir():
        raise BenchmarkError(
            f"{options.models} has no model {options.model}: publish one (make model)"
        )
    arguments = (options.models, "--default-model", options.model)
    with servers.onnxlet(*arguments, workers=cpus.workers, cpus=cpus.server) as server:
        yield server


def _show(results: Sequence[PointResult]) -> None:
    kept = [place for place, column in enumerate(COLUMNS) if column not in _WIDE]
    rows = [cells(one) for one in results]
    tables.show(
        [COLUMNS[place] for place in kept], [[row[place] for place in kept] for row in rows]
    )


def _write(report: GridReport, options: argparse.Namespace, console: Console) -> None:
    folder: Path = options.out
    report.write_json(folder / NAMES[0])
    report.write_markdown(folder / NAMES[1])
    grid_page.write(report, folder / NAMES[2])
    progress.wrote(console, *(folder / name for name in NAMES))
    if options.markdown:
        report.put_into(options.markdown)
        progress.wrote(console, options.markdown)


def _log(folder: Path, report: GridReport, reference: PointResult, console: Console) -> None:
    """Log into MLflow; that it can't is reported, and loses nothing."""
    if faults := reference.faults:
        console.print(f"not logged into MLflow: {reference.point}: {'; '.join(faults)}")
        return
    with console.status("loading MLflow"):
        from benchmarks.run import mlflow_run
    try:
        outcome = mlflow_run.log(folder, report.model, reference)
    except BenchmarkError as error:
        outcome = f"not logged into MLflow: {error}"
    console.print(outcome, highlight=False, soft_wrap=True)
