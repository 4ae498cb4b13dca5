"""What a load generator keeps of one kind of request: counts and a full-resolution histogram.

Locust's own statistics round response times to whole milliseconds.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

_LONGEST = 120_000_000  # µs; longer ones count as so much
_DIGITS = 3  # significant ones
SLICE_SECONDS = 0.25


def histogram() -> HdrHistogram:
    """An empty one of microseconds, from 1 to 120 s, to three significant digits."""
    return HdrHistogram(1, _LONGEST, _DIGITS)


@dataclass
class Tally:
    """Requests of one kind that began within the measured window."""

    rows: int
    """Of each request."""
    requests: int = 0
    """Answered rightly, some of them after its end."""
    failures: int = 0
    latencies: HdrHistogram = field(default_factory=histogram)
    """Of right and wrong answers alike, in microseconds."""
    slices: Counter[int] = field(default_factory=Counter)
    """Right answers in each quarter of a second of the window, whenever they were asked for."""

    @property
    def answered(self) -> int:
        """Right answers within the window."""
        return self.slices.total()

    def add(self, seconds: float, *, right: bool) -> None:
        """Count one answer, and how long it took."""
        self.latencies.record_value(min(round(seconds * 1e6), _LONGEST))
        if right:
            self.requests += 1
        else:
            self.failures += 1

    def merge(self, other: "Tally") -> None:
        """Add what another one has of the same kind."""
        self.requests += other.requests
        self.failures += other.failures
        self.latencies.add(other.latencies)
        self.slices.update(other.slices)

    def to_json(self) -> dict[str, Any]:
        """JSON's types alone; the histogram in HdrHistogram's own compressed form."""
        return {
            "rows": self.rows,
            "requests": self.requests,
            "failures": self.failures,
            "latencies": self.latencies.encode().decode(),
            "slices": {str(number): count for number, count in self.slices.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Tally":
        """The opposite of ``to_json``."""
        slices = Counter({int(number): count for number, count in document["slices"].items()})
        kept = HdrHistogram.decode(document["latencies"])
        return cls(document["rows"], document["requests"], document["failures"], kept, slices)


@dataclass
class Record:
    """What one or many processes of a load generator kept."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    """Why requests failed, and how many did for that, those of the warm-up among them."""
    processes: dict[str, "Busy"] = field(default_factory=dict)

    def total(self, figure: Callable[[Tally], float]) -> float:
        """The sum of a figure over all kinds."""
        return sum(figure(tally) for tally in self.tallies.values())

    def merge(self, other: "Record") -> None:
        """Add what another one has; of a process that both tell of, the other knows better."""
        for name, tally in other.tallies.items():
            if name in self.tallies:
                self.tallies[name].merge(tally)
            else:
                self.tallies[name] = tally
        self.errors.update(other.errors)
        self.processes |= other.processes

    def to_json(self) -> dict[str, Any]:
        """JSON's types alone."""
        return {
            "tallies": {name: tally.to_json() for name, tally in self.tallies.items()},
            "errors": dict(self.errors),
            "processes": {name: vars(busy) for name, busy in self.processes.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Record":
        """The opposite of ``to_json``."""
        return cls(
            {name: Tally.from_json(tally) for name, tally in document["tallies"].items()},
            Counter(document["errors"]),
            {name: Busy(**busy) for name, busy in document["processes"].items()},
        )


@dataclass(frozen=True)
class Busy:
    """One process of the load generator, within the window."""

    began: float
    """Seconds since the epoch, of this process's clock; likewise ``ended``."""
    ended: float
    cpu_seconds: float

    @property
    def share(self) -> float:
        """Of one CPU: the process has one thread that works."""
        return self.cpu_seconds / max(self.ended - self.began, 1e-9)
