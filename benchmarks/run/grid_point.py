"""One load of the grid, and what was measured each time it ran."""

import statistics
from dataclasses import dataclass, field

from hdrh.histogram import HdrHistogram

from benchmarks.load import percentiles
from benchmarks.load.percentiles import QUANTILES, Percentile
from benchmarks.load.stats import GENERATOR_LIMIT


@dataclass(frozen=True)
class GridPoint:
    """A number of closed users who send requests of so many rows."""

    rows: int
    """0 for the baseline, which only asks for the server's health."""
    users: int

    @property
    def size(self) -> str:
        """Such as "1 row"."""
        return f"{self.rows} row{'s' * (self.rows != 1)}"

    def __str__(self) -> str:
        return f"{self.rows or 'baseline'} x {self.users}"


@dataclass(frozen=True)
class Repeat:
    """One measurement of a point."""

    requests: int
    """That were answered with 200."""
    failures: int
    seconds: float
    generator_share: float
    """CPU time of the load generator, of one CPU."""
    latencies: HdrHistogram
    """In microseconds."""
    cpu_seconds: float | None = None
    """Of the server; None if it was not started here, like the memory."""
    memory_mib: float | None = None
    """Of the server, right after the load."""


@dataclass
class PointResult:
    """A point, with all of its repeats."""

    point: GridPoint
    repeats: list[Repeat] = field(default_factory=list)

    @property
    def requests_per_second(self) -> float:
        """Median of the repeats, like all figures."""
        return statistics.median(one.requests / one.seconds for one in self.repeats)

    @property
    def rows_per_second(self) -> float:
        """Rows per second."""
        return self.requests_per_second * self.point.rows

    @property
    def cpu_seconds_per_1000_rows(self) -> float | None:
        """Of the server; per 1,000 requests for the baseline."""
        known = [
            1000 * one.cpu_seconds / max(one.requests * max(self.point.rows, 1), 1)
            for one in self.repeats
            if one.cpu_seconds is not None
        ]
        return statistics.median(known) if known else None

    @property
    def memory_mib(self) -> float | None:
        """Largest of the repeats."""
        return max((one.memory_mib for one in self.repeats if one.memory_mib), default=None)

    @property
    def generator_share(self) -> float:
        """CPU time of the load generator, of one CPU."""
        return statistics.median(one.generator_share for one in self.repeats)

    @property
    def percentiles(self) -> dict[float, Percentile]:
        """By quantile, those that the answers of each repeat support."""
        latencies = [one.latencies for one in self.repeats]
        found = {quantile: percentiles.over_loads(latencies, quantile) for quantile in QUANTILES}
        return {quantile: one for quantile, one in found.items() if one}

    @property
    def faults(self) -> list[str]:
        """Why the figures do not count; empty if they do."""
        found = []
        if failures := sum(one.failures for one in self.repeats):
            found.append(f"{failures} requests failed")
        if self.generator_share > GENERATOR_LIMIT:
            found.append("the load generator had no CPU left")
        return found
