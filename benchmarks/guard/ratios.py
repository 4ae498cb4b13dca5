"""Ratios that a machine's speed cancels out of, each measured once a round."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import prepare, rounds, servers
from benchmarks.limit.floor import Floor
from benchmarks.load.dialect import DIALECTS
from benchmarks.peers import environment
from benchmarks.peers.table import PEERS
from benchmarks.rounds import Measurement, Shape, Target
from benchmarks.servers import Server

SHAPES = (Shape(1, 16), Shape(32, 4), Shape(256, 4))
REFERENCE = "fastapi"

Ratios = Mapping[str, Sequence[float]]
Step = Callable[[object], None]


def steps(count: int) -> int:
    """How often ``measure`` calls its ``step``."""
    return count * (2 * len(SHAPES) + 2 * len(DIALECTS))


def measure(models: Path, count: int, seconds: float, step: Step) -> Ratios:
    """Our server against FastAPI, against its own work in process, and its dialects."""
    with (
        servers.ours(models) as ours,
        environment.server(REFERENCE, PEERS[REFERENCE], models) as theirs,
    ):
        found: dict[str, Sequence[float]] = {}
        for shape in SHAPES:
            found |= _loaded(models, ours, theirs, shape, count, seconds, step)
        for shape in (SHAPES[0], SHAPES[-1]):
            found |= _dialects(ours, shape, count, seconds, step)
        return found


def _loaded(
    models: Path,
    ours: Server,
    theirs: Server,
    shape: Shape,
    count: int,
    seconds: float,
    step: Step,
) -> dict[str, Sequence[float]]:
    request = prepare.requests([shape.rows])[shape.rows]
    floor = Floor(models, request, shape.rows)
    targets = [Target(ours, request), Target(theirs, request)]
    mine, other = rounds.alternate(
        targets, shape, count, seconds, lambda: step(shape), floor.measure
    )
    within = zip(mine, floor.measured, strict=True)
    return {
        f"CPU a row, of FastAPI's, {shape}": _each(mine, other, _cpu),
        f"rows/s, of FastAPI's, {shape}": _each(mine, other, lambda one: one.rows_per_second),
        f"CPU a row, of the same in process, {shape}": [
            one.cpu_per_row / cost for one, cost in within
        ],
    }


def _dialects(
    ours: Server, shape: Shape, count: int, seconds: float, step: Step
) -> dict[str, Sequence[float]]:
    targets = [
        Target(ours, prepare.requests([shape.rows], dialect)[shape.rows]) for dialect in DIALECTS
    ]
    predict, *others = rounds.alternate(targets, shape, count, seconds, lambda: step(shape))
    return {
        f"CPU a row, {dialect} of predict's, {shape}": _each(other, predict, _cpu)
        for dialect, other in zip(list(DIALECTS)[1:], others, strict=True)
    }


def _cpu(measured: Measurement) -> float:
    return measured.cpu_per_row


def _each(
    mine: Sequence[Measurement],
    other: Sequence[Measurement],
    figure: Callable[[Measurement], float],
) -> list[float]:
    return [figure(one) / figure(two) for one, two in zip(mine, other, strict=True)]
