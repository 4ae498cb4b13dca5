"""One load of the grid: what is asked, and what was measured each time it was."""

import statistics
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

from benchmarks.errors import BenchmarkError
from benchmarks.load import percentiles as percentile
from benchmarks.load.percentiles import Percentile
from benchmarks.load.prepared_request import users_class
from benchmarks.load.stats import Record, histogram

BUSY = 0.9  # of one CPU: a load generator that takes more has none left
STEADY = 0.1  # the second half of a window may answer so much more or less than the first


@dataclass(frozen=True)
class Cell:
    """A number of closed users who send requests of so many rows."""

    rows: int
    """0 for the baseline, which asks for the server's health alone."""
    users: int
    dialect: str = "predict"

    @property
    def users_class(self) -> str:
        """Locust's, in ``benchmarks/locustfile.py``."""
        return users_class(self.dialect, self.rows) if self.rows else "NoOp"

    def __str__(self) -> str:
        return f"{self.rows or 'no-op'} x {self.users}"

    @property
    def size(self) -> str:
        """Such as "1 row"."""
        return f"{self.rows} row{'s' * (self.rows != 1)}"


@dataclass(frozen=True)
class Repeat:
    """One measurement of a cell."""

    requests: int
    failures: int
    seconds: float
    rows_per_second: float
    requests_per_second: float
    p99_ms: float | None
    """Where the answers are enough for one."""
    generator_share: float
    """CPU time of the busiest process of the load generator, of one CPU."""
    drift: float
    """How much more the second half of the window answered than the first, as a fraction."""
    cpu_seconds_per_1000_rows: float | None
    """Of the server; per 1,000 requests for the baseline. None where it was not started here."""
    peak_memory_mib: float | None


@dataclass
class Measured:
    """A cell, with all of its repeats."""

    cell: Cell
    repeats: list[Repeat] = field(default_factory=list)
    latencies: HdrHistogram = field(default_factory=histogram)
    """Of all repeats together, in microseconds."""
    errors: dict[str, int] = field(default_factory=dict)

    def median(self, figure: str) -> float | None:
        """Of a field of the repeats; None where it was not measured."""
        known = [value for one in self.repeats if (value := getattr(one, figure)) is not None]
        return statistics.median(known) if known else None

    @property
    def percentiles(self) -> list[Percentile]:
        """Those that the answers of all repeats together support."""
        return percentile.of(self.latencies)

    @property
    def faults(self) -> list[str]:
        """Why the figures do not count."""
        found = []
        if failures := sum(one.failures for one in self.repeats):
            found.append(f"{failures} requests failed")
        if max(one.generator_share for one in self.repeats) > BUSY:
            found.append("the load generator had no CPU left")
        if statistics.median(abs(one.drift) for one in self.repeats) > STEADY:
            found.append("not steady")
        return found

    def to_json(self) -> dict[str, Any]:
        """JSON's types alone, the histogram among them."""
        return {
            **asdict(self.cell),
            "faults": self.faults,
            "percentiles": [asdict(one) for one in self.percentiles],
            "repeats": [asdict(one) for one in self.repeats],
            "errors": self.errors,
            "latencies": self.latencies.encode().decode(),
        }


def windows(record: Record) -> tuple[float, float]:
    """When the window began and ended, in seconds since the epoch, over all processes.

    Raises:
        BenchmarkError: nothing was answered within it.

    """
    if not record.processes or not record.total(lambda tally: tally.answered):
        raise BenchmarkError(
            f"nothing was answered within the window; errors: {dict(record.errors)}"
        )
    began = min(busy.began for busy in record.processes.values())
    return began, max(busy.ended for busy in record.processes.values())


def drift(record: Record) -> float:
    """See ``Repeat.drift``; slices that were cut off are left out."""
    slices: Counter[int] = Counter()
    for tally in record.tallies.values():
        slices.update(tally.slices)
    whole = [slices[number] for number in range(1, max(slices, default=0))]
    half = len(whole) // 2
    first, second = sum(whole[:half]), sum(whole[len(whole) - half :])
    return second / first - 1 if first else 0.0
