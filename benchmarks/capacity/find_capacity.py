"""``python -m benchmarks capacity``: the highest rate of a replica, and the replicas for a rate."""

import argparse
import dataclasses
from dataclasses import dataclass, field

from rich.console import Console

from benchmarks import progress
from benchmarks.capacity import rate_attempt, rate_search, replica_plan
from benchmarks.capacity.rate_attempt import Attempt
from benchmarks.capacity.replica_plan import Plan, Replica
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model
from benchmarks.load import golden_rows, locust_process, percentiles, prepared_request
from benchmarks.load.locust_process import Load, Target
from benchmarks.load.prepared_request import MIX, MIXED
from benchmarks.progress import Step
from benchmarks.report import files, tables
from benchmarks.system import affinity, machine, servers
from benchmarks.system.affinity import Affinity
from benchmarks.system.servers import Server

_CLOSED_USERS = 16  # that keep all workers busy, for a first guess
_LEAST = 10.0  # requests per second: the search gives up below
_ANSWERS = 2 * percentiles.needed(0.99)  # that an attempt waits for
_ATTEMPT_HEAD = (
    "requests/s",
    "answered/s",
    "p99 ms",
    "failures",
    "load generator's CPU",
    "sustained",
)
_REPLICA_HEAD = (
    *("requests/s", "replicas", "cores", "memory, GiB", "network, Gbit/s"),
    *("busy", "busy with one replica down", "core-hours per million rows"),
)
_RATES = 10  # of a search, about, for the progress bar


@dataclass
class Search:
    """Finds the highest rate that all attempts sustain."""

    target: Target
    server: Server
    load: Load
    cpus: tuple[int, ...]
    p99_ms: float
    attempts: int
    """At each rate."""
    step: Step
    tried: dict[float, list[Attempt]] = field(default_factory=dict)
    """By rate; the attempts at a rate end with the first that does not sustain it."""

    def highest(self, tolerance: float) -> float:
        """Requests per second, at most ``tolerance`` below a rate that was not sustained.

        Raises:
            BenchmarkError: not even a small rate is sustained.

        """
        found = rate_search.highest(self._sustains, 0.7 * self._closed_rate(), tolerance)
        if not found:
            raise BenchmarkError(f"no rate keeps the p99 within {self.p99_ms:g} ms")
        return found

    def _closed_rate(self) -> float:
        """Requests per second of closed users."""
        self.step(f"{_CLOSED_USERS} closed users")
        load = self.load
        mixed = load.rows == MIXED
        name = "Mixed" if mixed else prepared_request.users_class(load.protocol, int(load.rows))
        closed = dataclasses.replace(load, users_class=name, users=_CLOSED_USERS)
        stats = locust_process.run(self.target, closed, self.cpus)
        if stats.errors or stats.window is None:
            raise BenchmarkError(f"requests failed: {dict(stats.errors)}")
        began, ended = stats.window
        return stats.answered / (ended - began)

    def _sustains(self, rate: float) -> bool:
        self.step(f"{rate:,.0f} requests/s")
        if rate < _LEAST:
            raise BenchmarkError(f"not even {_LEAST:g} requests/s keep a p99 of {self.p99_ms:g} ms")
        load = dataclasses.replace(
            self.load, rate=rate, measure=max(self.load.measure, _ANSWERS / rate)
        )
        made = self.tried[rate] = []
        for _ in range(self.attempts):
            made.append(rate_attempt.attempt(self.target, self.server, load, self.cpus))
            if not made[-1].sustained(self.p99_ms):
                return False
        return True


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, plan, and print both.

    Raises:
        BenchmarkError: not even a small rate is sustained.

    """
    options.out.parent.mkdir(parents=True, exist_ok=True)
    tables.check_document(options.markdown)
    small_model.prepare(options.models, console)
    cpus = affinity.halves()
    load = Load(
        "Open",
        users=len(cpus.generator),  # which share the rate, each in a process
        rows=options.rows,
        protocol=options.protocol,
        warm_up=options.seconds / 5,
        measure=options.seconds,
    )
    arguments = (options.models, "--default-model", options.model)
    with (
        progress.steps(console, 1 + _RATES) as step,
        servers.onnxlet(*arguments, workers=cpus.workers, cpus=cpus.server) as server,
    ):
        target = Target(server.base, options.model, options.models)
        search = Search(target, server, load, cpus.generator, options.p99, options.attempts, step)
        capacity = search.highest(options.tolerance)
        memory = server.tree.memory_mib()
    sizes = _sizes(options.rows)
    golden = golden_rows.published(options.models, options.model)
    replica = Replica(
        capacity=capacity,
        workers=cpus.workers,
        memory_mib=memory,
        body_bytes=prepared_request.mean_body_bytes(options.protocol, golden, sizes),
        rows=sum(rows * share for rows, share in sizes.items()),
    )
    plans = [replica_plan.plan(target, replica, options.headroom) for target in options.target_rps]
    summary = _summary(search, replica, options, cpus)
    print("\n".join(summary))
    attempts, replicas = _attempts(search), _replicas(plans, capacity)
    tables.show(_ATTEMPT_HEAD, attempts, "Attempts")
    tables.show(_REPLICA_HEAD, replicas, "Replicas, one of them in reserve")
    source = machine.circumstances()
    print(source)
    if options.markdown:
        facts = [f"{tables.command()}, {source}", *summary]
        tables.put(options.markdown, "capacity", _ATTEMPT_HEAD, attempts, facts)
        headroom = f"headroom of {options.headroom:.0%}, and one replica in reserve"
        tables.put(options.markdown, "replicas", _REPLICA_HEAD, replicas, [headroom])
        progress.wrote(console, options.markdown)
    document = {
        "summary": summary,
        "circumstances": machine.description(),
        "capacity": capacity,
        "attempts": [one for made in search.tried.values() for one in made],
        "plans": plans,
    }
    files.write_json(document, options.out)
    progress.wrote(console, options.out)


def _sizes(rows: str) -> dict[int, float]:
    """The share of the requests with so many rows."""
    if rows != MIXED:
        return {int(rows): 1.0}
    return {size: share / sum(MIX.values()) for size, share in MIX.items()}


def _summary(
    search: Search, replica: Replica, options: argparse.Namespace, cpus: Affinity
) -> list[str]:
    capacity, rows = replica.capacity, replica.rows
    lines = [
        f"One replica ({cpus}) sustains {capacity:,.0f} requests/s within a p99 of"
        f" {options.p99:g} ms, of {rows:g} rows and {replica.body_bytes / 1000:,.1f} kB on average:"
        f" {capacity * rows:,.0f} rows/s. It takes {replica.memory_mib:,.0f} MiB.",
        f"All {options.attempts} attempts at this rate sustained it:",
    ]
    lines += [
        f"p99 {one.p99} ms over {one.p99.count if one.p99 else 0:,} requests;"
        f" {one.cpu_seconds * 1e6:,.0f} µs of CPU time per request"
        for one in search.tried[capacity]
    ]
    beyond = min((rate for rate in search.tried if rate > capacity), default=capacity)
    if any(one.saturated for one in search.tried[beyond]):
        lines.append("The load generator had no CPU left beyond it: a replica may sustain more.")
    return lines


def _attempts(search: Search) -> list[list[str]]:
    return [
        [
            f"{one.rate:,.0f}",
            f"{one.answered:,.0f}",
            str(one.p99 or "–"),
            f"{one.failures:,}",
            f"{one.generator_share:.0%}",
            "yes" if one.sustained(search.p99_ms) else "no",
        ]
        for _, made in sorted(search.tried.items())
        for one in made
    ]


def _replicas(plans: list[Plan], capacity: float) -> list[list[str]]:
    return [
        [
            f"{one.target:,.0f}",
            f"{one.replicas:,}",
            f"{one.cores:,}",
            f"{one.memory_gib:,.1f}",
            f"{one.network_gbit:,.1f}",
            f"{one.target / one.replicas / capacity:.0%}",
            f"{one.target / one.needed / capacity:.0%}",
            f"{one.core_hours:.4f}",
        ]
        for one in plans
    ]
