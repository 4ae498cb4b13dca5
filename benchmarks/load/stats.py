"""What a load generator counts: answers, failures, latencies, and its own CPU time.

Locust's own statistics round response times to whole milliseconds.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

_LONGEST = 120_000_000  # µs; longer ones count as this
_DIGITS = 3  # significant ones
GENERATOR_LIMIT = 0.9
"""Of one CPU: a load generator that takes more has none left, and its figures do not count."""


def histogram() -> HdrHistogram:
    """An empty one of microseconds, from 1 to 120 s, to three significant digits."""
    return HdrHistogram(1, _LONGEST, _DIGITS)


@dataclass
class RequestStats:
    """Requests of one kind that began within the measured window."""

    rows: int
    """Of each request."""
    requests: int = 0
    """With a correct answer, some of which came after the window."""
    failures: int = 0
    answered: int = 0
    """Correct answers within the window, some of which were requested before it."""
    latencies: HdrHistogram = field(default_factory=histogram)
    """Of correct and wrong answers, in microseconds."""

    def add(self, seconds: float, *, correct: bool) -> None:
        """Count one answer, and how long it took."""
        self.latencies.record_value(min(round(seconds * 1e6), _LONGEST))
        if correct:
            self.requests += 1
        else:
            self.failures += 1

    def merge(self, other: "RequestStats") -> None:
        """Add what another process counted of the same kind."""
        self.requests += other.requests
        self.failures += other.failures
        self.latencies.add(other.latencies)
        self.answered += other.answered

    def to_json(self) -> dict[str, Any]:
        """JSON types only; the histogram in HdrHistogram's own compressed form."""
        return vars(self) | {"latencies": self.latencies.encode().decode()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "RequestStats":
        """The opposite of ``to_json``."""
        latencies = HdrHistogram.decode(document["latencies"])
        return cls(**{**document, "latencies": latencies})


@dataclass(frozen=True)
class ProcessUsage:
    """One process of the load generator, within the window."""

    began: float
    """Seconds since the epoch, by this process's clock; likewise ``ended``."""
    ended: float
    cpu_seconds: float

    @property
    def share(self) -> float:
        """Of one CPU: the process has one thread that works."""
        return self.cpu_seconds / max(self.ended - self.began, 1e-9)


@dataclass
class LoadStats:
    """What one or more processes of a load generator counted."""

    by_request: dict[str, RequestStats] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    """Why requests failed, and how many did for each reason, also during the warm-up."""
    processes: dict[str, ProcessUsage] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        """Correct answers within the window."""
        return sum(stats.answered for stats in self.by_request.values())

    @property
    def latencies(self) -> HdrHistogram:
        """Of all kinds together."""
        merged = histogram()
        for stats in self.by_request.values():
            merged.add(stats.latencies)
        return merged

    @property
    def window(self) -> tuple[float, float] | None:
        """When it began and ended over all processes; None where nothing was answered in it."""
        if not self.processes or not self.answered:
            return None
        began = min(process.began for process in self.processes.values())
        return began, max(process.ended for process in self.processes.values())

    @property
    def generator_share(self) -> float:
        """CPU time of the busiest process, of one CPU."""
        return max((process.share for process in self.processes.values()), default=0.0)

    def merge(self, other: "LoadStats") -> None:
        """Add what another process counted; what it says of itself replaces what it said before."""
        for name, stats in other.by_request.items():
            if name in self.by_request:
                self.by_request[name].merge(stats)
            else:
                self.by_request[name] = stats
        self.errors.update(other.errors)
        self.processes |= other.processes

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "by_request": {name: stats.to_json() for name, stats in self.by_request.items()},
            "errors": dict(self.errors),
            "processes": {name: vars(process) for name, process in self.processes.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "LoadStats":
        """The opposite of ``to_json``."""
        return cls(
            {name: RequestStats.from_json(one) for name, one in document["by_request"].items()},
            Counter(document["errors"]),
            {name: ProcessUsage(**one) for name, one in document["processes"].items()},
        )
