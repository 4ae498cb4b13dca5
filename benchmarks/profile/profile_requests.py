"""What ``python -m benchmarks limit`` does."""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import progress
from benchmarks.fixtures import identity_model
from benchmarks.load import golden_rows
from benchmarks.load.prepared_request import SIZES
from benchmarks.load.protocols import DIALECTS
from benchmarks.profile import served_cost as served
from benchmarks.profile import step_costs
from benchmarks.profile.step_costs import Steps
from benchmarks.system import affinity, machine, servers

QUICK = (1, 32, 256)


@dataclass(frozen=True)
class Cost:
    """Of one kind of request."""

    dialect: str
    rows: int
    within: Steps
    served: float
    """Microseconds of CPU time per request, over HTTP."""


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure, and print the table.

    Raises:
        BenchmarkError: there is nothing to measure.

    """
    sizes = QUICK if wanted.quick else SIZES
    with tempfile.TemporaryDirectory() as folder:
        identity_model.publish(Path(folder))
        with progress.steps(console, len(sizes) * len(DIALECTS) + 1) as step:
            step("an empty exchange")
            http = _exchange(Path(folder), wanted.rounds, wanted.seconds)
            costs = _costs(wanted, sizes, step)
    progress.out(140).print(table(costs, http), highlight=False)
    print(_explained(http))
    print(machine.circumstances())


def _exchange(models: Path, rounds: int, seconds: float) -> float:
    """Microseconds of an exchange with the empty model, less what it does in process."""
    with _server(models, identity_model.NAME) as server:
        over_http = [served.measure(server, identity_model.REQUEST, seconds) for _ in range(rounds)]
    within = step_costs.measure(models, identity_model.NAME, identity_model.REQUEST, 1)
    return statistics.median(over_http) - within.whole


def _costs(
    wanted: argparse.Namespace, sizes: tuple[int, ...], step: Callable[[str], None]
) -> list[Cost]:
    found = []
    with _server(wanted.models, wanted.name) as server:
        model, _metadata = golden_rows.served(server.base, wanted.name)
        sent = golden_rows.read(wanted.data)
        for name, dialect in DIALECTS.items():
            for rows in sizes:
                step(f"{name} x {rows}")
                request = dialect.request(sent.some(rows, 0).images, model)
                over_http = [
                    served.measure(server, request, wanted.seconds) for _ in range(wanted.rounds)
                ]
                within = step_costs.measure(wanted.models, wanted.name, request, rows)
                found.append(Cost(name, rows, within, statistics.median(over_http)))
    return found


def _server(models: Path, name: str) -> servers.Server:
    return servers.ours(
        models, "--default-model", name, workers=1, cpus=affinity.halves().server[:1]
    )


def table(costs: Sequence[Cost], http: float) -> Table:
    """The parts of each request, for people."""
    shown = Table(
        "request",
        *("by simdjson", "parse", "run", "render", "rest", "in process", "exchange", "bytes"),
        *("served", "served / in process", "served a row"),
        title="µs of CPU time per request",
    )
    for column in shown.columns[1:]:
        column.justify = "right"
    for cost in costs:
        within = cost.within
        parts = (
            within.by_simdjson,
            within.parse,
            within.run,
            within.render,
            within.rest,
            within.whole,
            http,
        )
        left = cost.served - within.whole - http
        shown.add_row(
            f"{cost.dialect} x {cost.rows}",
            *(f"{part:,.1f}" for part in (*parts, left, cost.served)),
            f"{cost.served / within.whole:.2f}",
            f"{cost.served / cost.rows:.2f}",
            end_section=cost.rows == costs[-1].rows,
        )
    return shown


def _explained(http: float) -> str:
    return (
        "by simdjson: parse without the number kernel, which is no part of the whole."
        f" exchange: {http:.0f} µs, what an exchange with a model that does nothing costs beyond"
        " its work in process: sockets, HTTP, admission and metrics. rest: joining steps, checks"
        " and clocks. bytes: what is left, above all the kernel's and our copies of the body. One"
        " worker and one connection, each on a CPU of its own, so that no run is shared."
    )
