"""Servers under the same load in turn, so that a noisy machine is noisy for all of them."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.errors import BenchmarkError
from benchmarks.load import wrk
from benchmarks.load.protocols import Request
from benchmarks.system.servers import Server


@dataclass(frozen=True)
class Shape:
    """One kind of load."""

    rows: int
    """Of each request."""
    connections: int

    def __str__(self) -> str:
        return f"{self.rows} x {self.connections}"


@dataclass(frozen=True)
class Measurement:
    """One server under one load for one round."""

    rows_per_second: float
    cpu_per_row: float
    """Microseconds of CPU time of the whole process tree."""
    p99: float
    """Milliseconds."""
    shares: tuple[float, ...]
    """Of each process below the main one, in the CPU time of them all."""


@dataclass(frozen=True)
class Target:
    """What is measured: a server, and what it is sent."""

    server: Server
    request: Request


class FailedRequestsError(BenchmarkError):
    """A load had errors: its figures don't count."""


def warm_up(target: Target, shape: Shape) -> None:
    """Load it for a second that does not count."""
    _load(target, shape, 1)


def measure(target: Target, shape: Shape, seconds: float) -> Measurement:
    """Load one server once."""
    server = target.server
    before = server.cpu_seconds()
    load = _load(target, shape, seconds)
    spent = [after - before[pid] for pid, after in server.cpu_seconds().items() if pid in before]
    if load.errors:
        raise FailedRequestsError(f"{server.name}, {shape}: {load.errors} requests failed")
    rows = load.requests * shape.rows
    below = spent[1:]
    return Measurement(
        rows_per_second=rows / load.seconds,
        cpu_per_row=sum(spent) / rows * 1e6,
        p99=load.p99,
        shares=tuple(part / sum(below) for part in below),
    )


def alternate(
    targets: Sequence[Target],
    shape: Shape,
    rounds: int,
    seconds: float,
    progress: Callable[[], None],
    after_round: Callable[[], None] = lambda: None,
) -> list[list[Measurement]]:
    """Measurements of each target, one a round; the order changes from round to round."""
    results: list[list[Measurement]] = [[] for _ in targets]
    for target in targets:
        warm_up(target, shape)
    for turn in range(rounds):
        order = range(len(targets)) if turn % 2 == 0 else reversed(range(len(targets)))
        for index in order:
            progress()
            results[index].append(measure(targets[index], shape, seconds))
        after_round()
    return results


def _load(target: Target, shape: Shape, seconds: float) -> wrk.Load:
    request = target.request
    url = target.server.base + request.path
    return wrk.run(url, request.body, shape.connections, seconds, request.headers)


def ratio(
    ours: Sequence[Measurement],
    theirs: Sequence[Measurement],
    figure: Callable[[Measurement], float],
) -> float:
    """Median over the rounds of our figure divided by theirs in the same round."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(figure(one) / figure(other) for one, other in pairs)
