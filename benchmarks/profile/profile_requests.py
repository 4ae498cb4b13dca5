"""``python -m benchmarks profile``: what each step of a request costs, and what HTTP adds."""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import progress
from benchmarks.fixtures import identity_model, small_model
from benchmarks.load import golden_rows, prepared_request, rounds
from benchmarks.load.prepared_request import SIZES
from benchmarks.load.protocols import PROTOCOLS, Request
from benchmarks.load.rounds import Target
from benchmarks.load.shapes import SHAPES, Shape
from benchmarks.profile import step_costs
from benchmarks.profile.step_costs import Steps
from benchmarks.progress import Step
from benchmarks.report import tables
from benchmarks.system import affinity, machine, servers
from benchmarks.system.servers import Server

HEAD = (
    "request",
    *("parse", "inference", "render", "rest", "in process", "HTTP", "transfer", "total"),
    *("total / in process", "total per row", "parse by simdjson"),
)
_EXPLANATION = (
    "One worker and one connection, each on a CPU of its own, so that no requests are combined."
    " parse, inference and render are the steps of a request; rest is what the server does between"
    " them. HTTP is what a request to a model that does nothing costs beyond its steps: sockets,"
    " HTTP, admission and metrics. transfer is the remainder, mostly copies of the body. parse by"
    " simdjson is parsing without the number kernel, and not part of the total."
)


@dataclass(frozen=True)
class Cost:
    """Of one kind of request, in microseconds of CPU time."""

    protocol: str
    rows: int
    in_process: Steps
    served: float
    """Over HTTP."""


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, and print the table.

    Raises:
        BenchmarkError: there is no such model, or a request fails.

    """
    tables.check_document(options.markdown)
    small_model.prepare(options.models, console)
    sizes = [shape.rows for shape in SHAPES] if options.quick else SIZES
    with progress.steps(console, len(sizes) * len(PROTOCOLS) + 1) as step:
        step("HTTP")
        http = _http_cost(options.rounds, options.seconds)
        costs = _costs(options, sizes, step)
    rows = [row(cost, http) for cost in costs]
    tables.show(HEAD, rows, "µs of CPU time per request")
    print(f"{_EXPLANATION}\n{machine.circumstances()}")
    if options.markdown:
        facts = [f"{tables.command()}, {machine.circumstances()}", _EXPLANATION]
        tables.put(options.markdown, "profile", HEAD, rows, facts)
        progress.wrote(console, options.markdown)


def _http_cost(count: int, seconds: float) -> float:
    """Microseconds of a request to the identity model, without what it costs in process."""
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        identity_model.publish(models)
        with _server(models, identity_model.NAME) as server:
            served = _served_cost(server, identity_model.REQUEST, 1, count, seconds)
        in_process = step_costs.measure(models, identity_model.NAME, identity_model.REQUEST, 1)
    return served - in_process.whole


def _costs(options: argparse.Namespace, sizes: Sequence[int], step: Step) -> list[Cost]:
    found = []
    with _server(options.models, options.model) as server:
        served = golden_rows.served(server.base, options.model, options.models)
        for protocol in PROTOCOLS:
            for rows in sizes:
                step(f"{protocol} x {rows}")
                prepared = prepared_request.prepare(protocol, served.model, served.rows, rows)
                request = prepared.request
                over_http = _served_cost(server, request, rows, options.rounds, options.seconds)
                in_process = step_costs.measure(options.models, options.model, request, rows)
                found.append(Cost(protocol, rows, in_process, over_http))
    return found


def _server(models: Path, name: str) -> Server:
    cpus = affinity.halves().server[:1]
    return servers.onnxlet(models, "--default-model", name, workers=1, cpus=cpus)


def _served_cost(server: Server, request: Request, rows: int, count: int, seconds: float) -> float:
    """Microseconds of the server's CPU time per request, over one connection."""
    target = Target(server, request, affinity.halves().generator)
    (measured,) = rounds.alternate([target], Shape(rows, 1), count, seconds, lambda: None)
    return rows * statistics.median(one.cpu_per_row for one in measured)


def row(cost: Cost, http: float) -> list[str]:
    """The parts of a request, of which ``http`` is the same for all."""
    steps = cost.in_process
    transfer = cost.served - steps.whole - http
    parts = (steps.parse, steps.run, steps.render, steps.rest, steps.whole, http, transfer)
    return [
        f"{cost.protocol} x {cost.rows}",
        *(f"{part:,.1f}" for part in (*parts, cost.served)),
        f"{cost.served / steps.whole:.2f}",
        f"{cost.served / cost.rows:.2f}",
        f"{steps.by_simdjson:,.1f}",
    ]
