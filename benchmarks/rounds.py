"""Servers under the same load in turn, so that a noisy machine is noisy for all of them."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import wrk
from benchmarks.servers import Server


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
    body: bytes
    path: str = "/predict"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside ``Content-Type: application/json``."""


class FailedRequestsError(Exception):
    """A load had errors: its figures don't count."""


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
        _load(target, shape, 1)  # warm up
    for turn in range(rounds):
        order = range(len(targets)) if turn % 2 == 0 else reversed(range(len(targets)))
        for index in order:
            results[index].append(measure(targets[index], shape, seconds))
            progress()
        after_round()
    return results


def _load(target: Target, shape: Shape, seconds: float) -> wrk.Load:
    url = target.server.base + target.path
    return wrk.run(url, target.body, shape.connections, seconds, target.headers)


def ratio(
    ours: Sequence[Measurement],
    theirs: Sequence[Measurement],
    figure: Callable[[Measurement], float],
) -> float:
    """Median over the rounds of our figure divided by theirs in the same round."""
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(figure(one) / figure(other) for one, other in pairs)
