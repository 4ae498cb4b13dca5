"""One attempt at a rate: random arrivals, and whether the server kept up with them."""

from dataclasses import dataclass

from benchmarks.load import locust_process, percentiles
from benchmarks.load.locust_process import Load, Target
from benchmarks.load.percentiles import Percentile
from benchmarks.load.stats import GENERATOR_LIMIT, LoadStats
from benchmarks.system.monitor import CpuMonitor
from benchmarks.system.servers import Server

_ANSWERED = 0.95  # of the requests that were due, within the window; else they pile up


@dataclass(frozen=True)
class Attempt:
    """What a rate led to."""

    rate: float
    """Requests per second that were asked for."""
    due: float
    """Requests per second that arrived at random."""
    answered: float
    """Correct answers per second."""
    p99: Percentile | None
    """From when each request was due; None if there are too few answers for it."""
    failures: int
    generator_share: float
    """CPU time of the load generator, of one CPU."""
    cpu_seconds: float
    """Of the server, for each request."""

    @property
    def saturated(self) -> bool:
        """Whether the load generator had no CPU left, so that this says nothing of the server."""
        return self.generator_share > GENERATOR_LIMIT

    def sustained(self, p99_ms: float) -> bool:
        """Whether nothing failed and the upper bound of the p99 is within ``p99_ms``."""
        return (
            self.failures == 0
            and self.p99 is not None
            and self.p99.high <= p99_ms
            and self.answered >= _ANSWERED * self.due
        )


def attempt(target: Target, server: Server, load: Load, cpus: tuple[int, ...]) -> Attempt:
    """Load the server at the rate of ``load``, from these CPUs."""
    with CpuMonitor(server.tree) as monitor:
        stats = locust_process.run(target, load, cpus)
    return result(stats, load.rate, monitor)


def result(stats: LoadStats, rate: float, monitor: CpuMonitor) -> Attempt:
    """What the counts of a load say."""
    failures = stats.errors.total()
    if stats.window is None:
        return Attempt(rate, rate, 0.0, None, failures, stats.generator_share, 0.0)
    began, ended = stats.window
    latencies = stats.latencies
    return Attempt(
        rate=rate,
        due=latencies.get_total_count() / (ended - began),
        answered=stats.answered / (ended - began),
        p99=percentiles.at(latencies, 0.99),
        failures=failures,
        generator_share=stats.generator_share,
        cpu_seconds=monitor.cpu_seconds(began, ended) / stats.answered,
    )
