"""The points that are measured, and measuring them in turn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.load import answer_check, wrk
from benchmarks.load.prepared_request import SIZES, RequestPool
from benchmarks.load.protocols import Request
from benchmarks.load.shapes import SMALL_BATCHES
from benchmarks.run.grid_point import GridPoint, PointResult, Repeat
from benchmarks.system.servers import Server

_HEALTH = Request("/v2/health/live", b"")
_WARM_UP = 1  # seconds


@dataclass(frozen=True)
class Grid:
    """What is measured, and for how long."""

    sizes: Sequence[int] = SIZES
    users: Sequence[int] = (1, 2, 4, 8, 16)
    repeats: int = 3
    seconds: int = 3
    protocol: str = "predict"

    @property
    def reference(self) -> GridPoint:
        """The one that stands for a model where only one figure fits, as in ``train compare``."""
        return GridPoint(SMALL_BATCHES.rows, SMALL_BATCHES.connections)

    def points(self) -> list[GridPoint]:
        """The baseline first, then each size with each number of users."""
        sizes = [(0, users) for users in (self.users[0], self.users[-1])]
        sizes += [(rows, users) for rows in self.sizes for users in self.users]
        return [GridPoint(rows, users) for rows, users in sizes]


QUICK = Grid(sizes=(1, 32, 256), users=(1, 4), repeats=2, seconds=2)


@dataclass(frozen=True)
class GridTarget:
    """What is loaded, and from where."""

    host: str
    pool: RequestPool
    cpus: tuple[int, ...]
    """Of the load generator."""
    server: Server | None
    """The server, if it was started here; otherwise its CPU time and memory are unknown."""


def measure(
    grid: Grid, target: GridTarget, progress: Callable[[GridPoint], None]
) -> list[PointResult]:
    """Measure each point once, then all of them again in the other order, and so on.

    Raises:
        BenchmarkError: an answer is wrong before or after the load, or nothing is answered.

    """
    results = [PointResult(point) for point in grid.points()]
    _check_answers(grid, target)
    for turn in range(grid.repeats):
        for one in results if turn % 2 == 0 else reversed(results):
            progress(one.point)
            one.repeats.append(_repeat(one.point, grid, target))
    _check_answers(grid, target)
    return results


def _check_answers(grid: Grid, target: GridTarget) -> None:
    """Check eight answers of each size; wrk only counts the statuses of the others."""
    for rows in grid.sizes:
        for prepared in target.pool.requests(grid.protocol, rows):
            answer_check.check(target.host, prepared)


def _repeat(point: GridPoint, grid: Grid, target: GridTarget) -> Repeat:
    request = target.pool.requests(grid.protocol, point.rows)[0].request if point.rows else _HEALTH
    tree = target.server.tree if target.server else None

    def load(seconds: int) -> wrk.Load:
        return wrk.run(
            target.host + request.path,
            request.body,
            point.users,
            seconds,
            headers=request.headers,
            method="POST" if point.rows else "GET",
            cpus=target.cpus,
        )

    load(_WARM_UP)
    before = tree.cpu_seconds() if tree else 0.0
    measured = load(grid.seconds)
    return Repeat(
        requests=measured.requests - measured.refused,
        failures=measured.errors,
        seconds=measured.seconds,
        generator_share=measured.generator_share,
        latencies=measured.latencies,
        cpu_seconds=tree.cpu_seconds() - before if tree else None,
        memory_mib=tree.memory_mib() if tree else None,
    )
