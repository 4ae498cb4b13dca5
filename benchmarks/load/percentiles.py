"""Percentiles, and how many answers each of them needs.

The bounds are order statistics: of ``n`` answers, how many lie below the true quantile is binomial,
whatever the distribution of the latencies. See Hahn and Meeker, Statistical Intervals, section 5.2.
They assume independent answers, which those of one busy server are not quite, so they hold for one
load. Reports of several loads show how far the percentiles of these lie apart instead.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram
from scipy.stats import binom

from benchmarks.load.stats import RequestStats

QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
CONFIDENCE = 0.99  # of each bound


@dataclass(frozen=True)
class Percentile:
    """Milliseconds of one load with bounds, each of 99 % confidence, or of several with a range."""

    milliseconds: float
    low: float
    high: float
    count: int
    """Answers that it comes from."""

    def __str__(self) -> str:
        return f"{self.milliseconds:.2f} ({self.low:.2f} to {self.high:.2f})"


def name(quantile: float) -> str:
    """Such as p99.9."""
    return f"p{100 * quantile:g}"


def needed(quantile: float) -> int:
    """Fewest answers of which the largest bounds a quantile from above.

    459 for a p99, and 4,603 for a p99.9. All commands leave out a percentile of fewer answers.
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(quantile))


def at(latencies: HdrHistogram, quantile: float) -> Percentile | None:
    """A percentile of a histogram of microseconds; None if it has too few answers for it."""
    count = latencies.get_total_count()
    if count < needed(quantile):
        return None
    ranks = (
        math.ceil(quantile * count),
        int(binom.ppf(1 - CONFIDENCE, count, quantile)),
        int(binom.ppf(CONFIDENCE, count, quantile)) + 1,
    )
    middle, low, high = (_at_rank(latencies, rank, count) for rank in ranks)
    return Percentile(middle, low, high, count)


def over_loads(latencies: Sequence[HdrHistogram], quantile: float) -> Percentile | None:
    """Median and range over several loads; None if one of them has too few answers."""
    found = [one for each in latencies if (one := at(each, quantile))]
    if not found or len(found) < len(latencies):
        return None
    values = [one.milliseconds for one in found]
    count = sum(one.count for one in found)
    return Percentile(statistics.median(values), min(values), max(values), count)


def _at_rank(latencies: HdrHistogram, rank: int, count: int) -> float:
    """The latency of a rank, counted from 1, in milliseconds."""
    # A quarter of a rank less, because HdrHistogram rounds what a percentage is of so many.
    return float(latencies.get_value_at_percentile(100 * (rank - 0.25) / count)) / 1000


def table(by_request: Mapping[str, RequestStats]) -> str:
    """Percentiles for a terminal, a line for each kind of request."""
    lines = ["", "milliseconds, with bounds of 99 % confidence; – means too few answers"]
    for kind, stats in sorted(by_request.items()):
        found = {quantile: at(stats.latencies, quantile) for quantile in QUANTILES}
        figures = "  ".join(f"{name(quantile)} {one or '–'}" for quantile, one in found.items())
        lines.append(f"{kind}: {stats.requests} correct, {stats.failures} failed  {figures}")
    return "\n".join(lines)
