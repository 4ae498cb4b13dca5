"""The cells that are measured, and measuring them in turn."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from benchmarks.load import locust_process, percentiles
from benchmarks.load.locust_process import Load, Target
from benchmarks.load.prepared_request import SIZES
from benchmarks.run.grid_point import Cell, Measured, Repeat, drift, windows
from benchmarks.system.affinity import Placing
from benchmarks.system.monitor import Meter
from benchmarks.system.servers import Server

REFERENCE = Cell(32, 4)
"""The one that stands for a model where only one figure fits, as in ``train compare``."""


@dataclass(frozen=True)
class Grid:
    """What is measured, and for how long."""

    sizes: Sequence[int] = SIZES
    users: Sequence[int] = (1, 2, 4, 8, 16)
    repeats: int = 3
    warm_up: float = 1.0
    measure: float = 3.0
    dialect: str = "predict"

    def cells(self) -> list[Cell]:
        """The baseline first, then each size with each number of users."""
        baseline = [Cell(0, users) for users in (self.users[0], self.users[-1])]
        return baseline + [
            Cell(rows, users, self.dialect) for rows in self.sizes for users in self.users
        ]


QUICK = Grid(sizes=(1, 32, 256), users=(1, 4), repeats=2, measure=2.0)


def measure(
    grid: Grid,
    target: Target,
    placing: Placing,
    server: Server | None,
    progress: Callable[[Cell], None],
) -> tuple[list[Measured], Meter | None]:
    """Measure each cell once, then all of them again in the other direction, and so on.

    Args:
        grid: what is measured.
        target: the server's address and model.
        placing: the load runs on its CPUs for it.
        server: the same server, where it was started here; else its CPU and memory are not known.
        progress: called before each measurement.

    Returns:
        The cells, and the server's CPU and memory over time.

    """
    found = [Measured(cell) for cell in grid.cells()]
    meter = Meter(server) if server else None
    with meter or nullcontext():
        for turn in range(grid.repeats):
            for one in found if turn % 2 == 0 else reversed(found):
                progress(one.cell)
                _measure(one, grid, target, placing, meter)
    return found, meter


def _measure(
    measured: Measured, grid: Grid, target: Target, placing: Placing, meter: Meter | None
) -> None:
    cell = measured.cell
    load = Load(
        cell.users_class,
        users=cell.users,
        dialect=cell.dialect,
        warm_up=grid.warm_up,
        measure=grid.measure,
    )
    record = locust_process.run(target, load, placing.generator)
    began, ended = windows(record)
    requests = int(record.total(lambda tally: tally.answered))
    (tally,) = record.tallies.values()
    p99 = percentiles.at(tally.latencies, 0.99)
    measured.latencies.add(tally.latencies)
    for error, count in record.errors.items():
        measured.errors[error] = measured.errors.get(error, 0) + count
    per_thousand = 1000 / max(requests * max(cell.rows, 1), 1)
    measured.repeats.append(
        Repeat(
            requests=requests,
            failures=sum(record.errors.values()),
            seconds=ended - began,
            requests_per_second=requests / (ended - began),
            rows_per_second=requests * cell.rows / (ended - began),
            p99_ms=p99.milliseconds if p99 else None,
            generator_share=max(busy.share for busy in record.processes.values()),
            drift=drift(record),
            cpu_seconds_per_1000_rows=meter.cpu_seconds(began, ended) * per_thousand
            if meter
            else None,
            peak_memory_mib=meter.peak(began, ended) if meter else None,
        )
    )
