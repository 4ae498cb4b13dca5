"""Servers under the same load in turn, so that a noisy machine is noisy for all of them."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from benchmarks.errors import BenchmarkError
from benchmarks.load import percentiles, wrk
from benchmarks.load.protocols import Request
from benchmarks.load.shapes import Shape
from benchmarks.system.servers import Server

_P99_ANSWERS = 2 * percentiles.needed(0.99)  # with a margin for a rate that falls
_LONGEST = 60.0  # seconds that a slow server gets to give so many answers


@dataclass(frozen=True)
class Measurement:
    """One server under one load for one round."""

    rows_per_second: float
    cpu_per_row: float
    """Microseconds of CPU time of the whole process tree."""
    p99: float | None
    """Milliseconds; None if there are too few answers for it."""
    shares: tuple[float, ...]
    """Of each process below the main one, of the CPU time of all these."""
    generator_share: float
    """CPU time of the load generator, of one CPU."""


Figure = Callable[[Measurement], float | None]
CPU_PER_ROW: Figure = attrgetter("cpu_per_row")
ROWS_PER_SECOND: Figure = attrgetter("rows_per_second")
P99: Figure = attrgetter("p99")


@dataclass(frozen=True)
class Target:
    """What is measured: a server, what it is sent, and from which CPUs."""

    server: Server
    request: Request
    cpus: tuple[int, ...] = ()
    """Of the load generator; all of this process's if empty."""


class FailedRequestsError(BenchmarkError):
    """Requests of a load failed, so that its figures do not count."""


def warm_up(target: Target, shape: Shape) -> float:
    """Load it for a second that does not count; returns the requests per second."""
    load = _load(target, shape, 1)
    return load.requests / load.seconds


def measure(target: Target, shape: Shape, seconds: float, rate: float) -> Measurement:
    """Load one server once.

    Args:
        target: what is measured.
        shape: of the load.
        seconds: how long, or longer if a server needs it to give enough answers for a p99.
        rate: requests per second during the warm-up.

    Raises:
        FailedRequestsError: a request failed.

    """
    tree = target.server.tree
    seconds = math.ceil(max(seconds, min(_P99_ANSWERS / rate, _LONGEST)))
    before = tree.cpu_seconds_by_process()
    load = _load(target, shape, seconds)
    after = tree.cpu_seconds_by_process()
    if load.errors:
        raise FailedRequestsError(f"{target.server.name}, {shape}: {load.errors} requests failed")
    rows = load.requests * shape.rows
    children = [spent - before.get(pid, 0.0) for pid, spent in after.items()][1:]
    p99 = percentiles.at(load.latencies, 0.99)
    return Measurement(
        rows_per_second=rows / load.seconds,
        cpu_per_row=(sum(after.values()) - sum(before.values())) / rows * 1e6,
        p99=p99.milliseconds if p99 else None,
        shares=tuple(spent / max(sum(children), 1e-9) for spent in children),
        generator_share=load.generator_share,
    )


def alternate(
    targets: Sequence[Target],
    shape: Shape,
    rounds: int,
    seconds: float,
    progress: Callable[[], None],
    after_round: Callable[[], None] = lambda: None,
) -> list[list[Measurement]]:
    """Measurements of each target, one per round; every second round goes in the other order."""
    results: list[list[Measurement]] = [[] for _ in targets]
    rates = [warm_up(target, shape) for target in targets]
    for turn in range(rounds):
        order = range(len(targets)) if turn % 2 == 0 else reversed(range(len(targets)))
        for index in order:
            progress()
            results[index].append(measure(targets[index], shape, seconds, rates[index]))
        after_round()
    return results


def _load(target: Target, shape: Shape, seconds: float) -> wrk.Load:
    request = target.request
    return wrk.run(
        target.server.base + request.path,
        request.body,
        shape.connections,
        seconds,
        headers=request.headers,
        cpus=target.cpus,
    )


def ratios(
    ours: Sequence[Measurement], theirs: Sequence[Measurement], figure: Figure
) -> list[float]:
    """Our figure divided by theirs in each round that has both."""
    pairs = [(figure(one), figure(other)) for one, other in zip(ours, theirs, strict=True)]
    return [one / other for one, other in pairs if one is not None and other]


def median(measured: Sequence[Measurement], figure: Figure) -> float | None:
    """Of the rounds; None if one of them lacks the figure."""
    values = [figure(one) for one in measured]
    known = [value for value in values if value is not None]
    return statistics.median(known) if known and len(known) == len(values) else None
