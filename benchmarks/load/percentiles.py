"""Percentiles that say how sure they are.

The bounds are order statistics: of ``n`` answers, how many lie below the true quantile is binomial,
so that the bounds need nothing of how latencies are distributed. See Hahn and Meeker, Statistical
Intervals, section 5.2. They take answers as independent, which those of one busy server are not
quite: the spread over repeats stands beside them in reports.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram
from scipy.stats import binom

from benchmarks.load.stats import Tally

QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
CONFIDENCE = 0.99  # of each bound


@dataclass(frozen=True)
class Percentile:
    """One, in milliseconds."""

    quantile: float
    milliseconds: float
    low: float
    """The true one is at least that; likewise at most ``high``, each with 99 % confidence."""
    high: float
    count: int
    """Answers that it is taken from."""

    @property
    def name(self) -> str:
        """Such as p99.9."""
        return f"p{100 * self.quantile:g}"

    def __str__(self) -> str:
        return f"{self.milliseconds:.2f} ({self.low:.2f} to {self.high:.2f})"


def needed(quantile: float) -> int:
    """Fewest answers of which the largest bounds a quantile from above.

    459 for a p99, and 4,603 for a p99.9. (With 662, the second largest bounds a p99.)
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(quantile))


def of(latencies: HdrHistogram) -> list[Percentile]:
    """Those of ``QUANTILES`` that so many latencies support, from a histogram of microseconds."""
    found = (at(latencies, quantile) for quantile in QUANTILES)
    return [one for one in found if one is not None]


def at(latencies: HdrHistogram, quantile: float) -> Percentile | None:
    """One of them; None where so many latencies do not support it."""
    count = latencies.get_total_count()
    return _of(latencies, quantile, count) if count >= needed(quantile) else None


def _of(latencies: HdrHistogram, quantile: float, count: int) -> Percentile:
    ranks = (
        math.ceil(quantile * count),
        int(binom.ppf(1 - CONFIDENCE, count, quantile)),
        int(binom.ppf(CONFIDENCE, count, quantile)) + 1,
    )
    middle, low, high = (_at(latencies, rank, count) for rank in ranks)
    return Percentile(quantile, middle, low, high, count)


def _at(latencies: HdrHistogram, rank: int, count: int) -> float:
    """The latency of a rank, counted from 1, in milliseconds."""
    # A quarter of a rank less, as HdrHistogram rounds what a percentage is of so many.
    return float(latencies.get_value_at_percentile(100 * (rank - 0.25) / count)) / 1000


def text(tallies: Mapping[str, Tally]) -> str:
    """A table for a terminal: a line for each kind of request."""
    lines = ["", "milliseconds, with bounds of 99 % confidence; – where answers are too few"]
    for name, tally in sorted(tallies.items()):
        found = {one.quantile: str(one) for one in of(tally.latencies)}
        figures = "  ".join(f"p{100 * q:g} {found.get(q, '–')}" for q in QUANTILES)
        lines.append(f"{name}: {tally.requests} right, {tally.failures} failed  {figures}")
    return "\n".join(lines)
