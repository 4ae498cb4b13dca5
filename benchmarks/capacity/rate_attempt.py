"""One try at a rate: Poisson arrivals, and whether the promise was kept."""

from dataclasses import dataclass

from benchmarks.load import locust_process, percentiles
from benchmarks.load.locust_process import Load, Target
from benchmarks.load.percentiles import Percentile
from benchmarks.load.stats import Record, histogram
from benchmarks.run.grid_point import BUSY, windows
from benchmarks.system.monitor import Meter
from benchmarks.system.servers import Server

KEPT_UP = 0.95  # of the requests that were due, answered within the window; else they pile up


@dataclass(frozen=True)
class Probe:
    """What a rate brought."""

    rate: float
    """Requests a second that were asked for."""
    due: float
    """Requests a second that chance made of it."""
    reached: float
    """Requests a second that were answered."""
    p99: Percentile | None
    """From when each request was due; None where the answers are too few."""
    failures: int
    generator_share: float
    cpu: float
    """Seconds of the server's CPU time for each request."""

    @property
    def generator_lacks(self) -> bool:
        """Was the load generator out of CPU, so that the probe says nothing of the server?"""
        return self.generator_share > BUSY

    def holds(self, p99_ms: float) -> bool:
        """Did nothing fail, and was the p99's upper bound within the promise?"""
        return (
            self.failures == 0
            and self.p99 is not None
            and self.p99.high <= p99_ms
            and self.reached >= KEPT_UP * self.due
        )


def probe(target: Target, server: Server, load: Load, cpus: tuple[int, ...]) -> Probe:
    """Load the server at the rate of ``load``, from these CPUs."""
    with Meter(server) as meter:
        record = locust_process.run(target, load, cpus)
    return judged(record, load.rate, meter)


def judged(record: Record, rate: float, meter: Meter) -> Probe:
    """What the record of a load generator says."""
    latencies = histogram()
    for tally in record.tallies.values():
        latencies.add(tally.latencies)
    failures = sum(record.errors.values())
    answered = record.total(lambda tally: tally.answered)
    if not answered:
        return Probe(rate, rate, 0.0, None, failures, 0.0, 0.0)
    began, ended = windows(record)
    return Probe(
        rate,
        latencies.get_total_count() / (ended - began),
        answered / (ended - began),
        percentiles.at(latencies, 0.99),
        failures,
        max(busy.share for busy in record.processes.values()),
        meter.cpu_seconds(began, ended) / answered,
    )
