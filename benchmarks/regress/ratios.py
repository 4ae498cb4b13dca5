"""Ratios that a machine's speed cancels out of, each measured once a round."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.fixtures import small_model
from benchmarks.load import rounds
from benchmarks.load.protocols import DIALECTS
from benchmarks.load.rounds import Measurement, Shape, Target
from benchmarks.peers import peer_environment
from benchmarks.peers.peer_list import PEERS
from benchmarks.profile.baseline import Floor
from benchmarks.progress import Step
from benchmarks.system import servers
from benchmarks.system.servers import Server

SHAPES = (Shape(1, 16), Shape(32, 4), Shape(256, 4))
REFERENCE = "fastapi"

Ratios = Mapping[str, Sequence[float]]

AT_MOST = {
    "CPU a row, of FastAPI's, 1 x 16": 0.32,
    "CPU a row, of FastAPI's, 32 x 4": 0.16,
    "CPU a row, of FastAPI's, 256 x 4": 0.13,
    "p99, of FastAPI's, 1 x 16": 0.8,
    "p99, of FastAPI's, 32 x 4": 0.4,
    "p99, of FastAPI's, 256 x 4": 0.25,
    **{
        f"CPU a row, {dialect} of predict's, {shape}": 1.1
        for dialect in ("oip", "tfserving", "mlflow")
        for shape in ("1 x 16", "256 x 4")
    },
}
AT_LEAST = {
    "rows/s, of FastAPI's, 1 x 16": 3.0,
    "rows/s, of FastAPI's, 32 x 4": 4.0,
    "rows/s, of FastAPI's, 256 x 4": 5.0,
}


def steps(count: int) -> int:
    """How often ``measure`` calls its ``step``."""
    return count * (2 * len(SHAPES) + 2 * len(DIALECTS))


def measure(models: Path, count: int, seconds: float, step: Step) -> Ratios:
    """Our server against FastAPI, against its own work in process, and its dialects."""
    with (
        servers.ours(models) as ours,
        peer_environment.server(REFERENCE, PEERS[REFERENCE], models) as theirs,
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
    request = small_model.requests([shape.rows])[shape.rows]
    floor = Floor(models, request, shape.rows)
    targets = [Target(ours, request), Target(theirs, request)]
    mine, other = rounds.alternate(
        targets, shape, count, seconds, lambda: step(shape), floor.measure
    )
    within = zip(mine, floor.measured, strict=True)
    return {
        f"CPU a row, of FastAPI's, {shape}": _each(mine, other, _cpu),
        f"rows/s, of FastAPI's, {shape}": _each(mine, other, _rate),
        f"p99, of FastAPI's, {shape}": _each(mine, other, lambda one: one.p99),
        f"CPU a row, of the same in process, {shape}": [
            one.cpu_per_row / cost for one, cost in within
        ],
    }


def _dialects(
    ours: Server, shape: Shape, count: int, seconds: float, step: Step
) -> dict[str, Sequence[float]]:
    targets = [
        Target(ours, small_model.requests([shape.rows], dialect)[shape.rows])
        for dialect in DIALECTS
    ]
    predict, *others = rounds.alternate(targets, shape, count, seconds, lambda: step(shape))
    found: dict[str, Sequence[float]] = {}
    for dialect, other in zip(list(DIALECTS)[1:], others, strict=True):
        found[f"CPU a row, {dialect} of predict's, {shape}"] = _each(other, predict, _cpu)
        if dialect.endswith("bytes"):
            found[f"rows/s, {dialect} of predict's, {shape}"] = _each(other, predict, _rate)
    return found


def _cpu(measured: Measurement) -> float:
    return measured.cpu_per_row


def _rate(measured: Measurement) -> float:
    return measured.rows_per_second


def _each(
    mine: Sequence[Measurement],
    other: Sequence[Measurement],
    figure: Callable[[Measurement], float],
) -> list[float]:
    return [figure(one) / figure(two) for one, two in zip(mine, other, strict=True)]
