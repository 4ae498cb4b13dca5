"""Several servers side by side: a table, and where a peer is ahead of ours."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.load import rounds
from benchmarks.load.prepared_request import PreparedRequest
from benchmarks.load.rounds import Figure, Measurement
from benchmarks.load.shapes import SHAPES, Shape
from benchmarks.load.stats import GENERATOR_LIMIT
from benchmarks.system.servers import Server

MARKER = "compare"  # of the table in a document
TABLE_MARKER = "compare table"  # where tables are sent
LOADS = (Shape(1, 1), *SHAPES)
FIGURES: tuple[tuple[str, Figure, bool], ...] = (
    ("rows/s", rounds.ROWS_PER_SECOND, True),
    ("p99 ms", rounds.P99, False),
    ("CPU µs per row", rounds.CPU_PER_ROW, False),
)
"""Title, figure, and whether more is better; a column for each of ``LOADS``."""
_SHOWN = LOADS[1:]  # in documents; one connection says little about a server with several workers
HEAD = (
    "server",
    *(f"{title}, {shape}" for title, _, _ in FIGURES for shape in _SHOWN),
    "wrk's CPU",
    "ready s",
    "MiB",
    "MB on disk",
)


@dataclass(frozen=True)
class Trial:
    """What one start of a server gave."""

    measured: Mapping[str, Measurement]
    """By shape of the load."""
    seconds_to_ready: float
    memory_mib: float
    """PSS of its process tree after the loads."""


@dataclass
class Contender:
    """One server, with all of its trials; the first of several is ours."""

    title: str
    version: str
    megabytes: float
    """Of its environment on disk."""
    settings: str
    """Where they come from."""
    start: Callable[[], Server]
    """Makes a server that is not started yet."""
    requests: Mapping[int, PreparedRequest]
    """By rows."""
    trials: list[Trial] = field(default_factory=list)
    fault: str = ""
    """Why it is left out; empty if it is not."""

    def measured(self, shape: Shape) -> list[Measurement]:
        """A measurement for each trial."""
        return [trial.measured[str(shape)] for trial in self.trials]

    @property
    def seconds_to_ready(self) -> float:
        """Median of the trials, like the memory."""
        return statistics.median(trial.seconds_to_ready for trial in self.trials)

    @property
    def memory_mib(self) -> float:
        """Median of the trials."""
        return statistics.median(trial.memory_mib for trial in self.trials)

    @property
    def generator_share(self) -> float:
        """CPU time of wrk under the load where it took most, of one CPU."""
        measured = (one for trial in self.trials for one in trial.measured.values())
        return max(one.generator_share for one in measured)


def row(contender: Contender) -> list[str]:
    """Medians of the trials."""
    figures = [
        rounds.median(contender.measured(shape), figure)
        for _, figure, _ in FIGURES
        for shape in _SHOWN
    ]
    saturated = " *" * (contender.generator_share > GENERATOR_LIMIT)
    return [
        f"{contender.title} {contender.version}",
        *("–" if value is None else _number(value) for value in figures),
        f"{contender.generator_share:.0%}{saturated}",
        f"{contender.seconds_to_ready:.1f}",
        f"{contender.memory_mib:,.0f}",
        f"{contender.megabytes:,.0f}",
    ]


def facts(contenders: Sequence[Contender]) -> list[str]:
    """Where a peer is ahead, and the settings of all."""
    settings = [f"{one.title} {one.version}: {one.settings}" for one in contenders]
    return [*ahead(contenders), "settings:", *settings]


def to_json(contenders: Sequence[Contender]) -> list[dict[str, object]]:
    """Every measurement."""
    kept = ("title", "version", "megabytes", "settings", "fault", "trials")
    return [{name: getattr(one, name) for name in kept} for one in contenders]


def ahead(contenders: Sequence[Contender]) -> list[str]:
    """Where a peer is better than ours, and why some are left out."""
    ours, *others = (one for one in contenders if not one.fault)
    found = [
        f"{other.title} is ahead in {what}: {ratio:.2f} times ours"
        for other in others
        for what, ratio in (*_loads_ahead(ours, other), *_totals_ahead(ours, other))
    ]
    failed = [f"{one.title} is left out: {one.fault}" for one in contenders if one.fault]
    return (found or ["no peer is ahead in any of these figures"]) + failed


def _loads_ahead(ours: Contender, other: Contender) -> Iterator[tuple[str, float]]:
    for title, figure, more_is_better in FIGURES:
        for shape in LOADS:
            ratios = rounds.ratios(other.measured(shape), ours.measured(shape), figure)
            ratio = statistics.median(ratios) if ratios else 1.0
            if ratio != 1 and (ratio > 1) == more_is_better:
                yield f"{title} at {shape}", ratio


def _totals_ahead(ours: Contender, other: Contender) -> Iterator[tuple[str, float]]:
    for what, mine, theirs in (
        ("time to ready", ours.seconds_to_ready, other.seconds_to_ready),
        ("memory", ours.memory_mib, other.memory_mib),
        ("size on disk", ours.megabytes, other.megabytes),
    ):
        if theirs < mine:
            yield what, theirs / mine


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
