"""Ours and the peers side by side: a table, and where a peer is ahead."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.table import Table

from benchmarks.compare.trial import SHAPES, Trial
from benchmarks.load import rounds
from benchmarks.load.prepared_request import Letter
from benchmarks.load.rounds import Measurement, Shape
from benchmarks.report import files
from benchmarks.system.servers import Server
from cli import markdown

PLACE = "peers"


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
    """Makes a server that is not started as yet."""
    letters: Mapping[int, Letter]
    """What it is asked, by rows."""
    trials: list[Trial] = field(default_factory=list)
    fault: str = ""
    """Why it is left out; empty where it is not."""

    def measured(self, shape: Shape) -> list[Measurement]:
        """Of one shape, a measurement a round."""
        return [trial.measured[shape] for trial in self.trials]


@dataclass(frozen=True)
class Figure:
    """A column for each shape."""

    title: str
    of: Callable[[Measurement], float]
    more_is_better: bool


FIGURES = (
    Figure("rows/s", lambda measured: measured.rows_per_second, True),
    Figure("p99 ms", lambda measured: measured.p99, False),
    Figure("CPU µs a row", lambda measured: measured.cpu_per_row, False),
)


def head() -> list[str]:
    """The columns."""
    shaped = [f"{figure.title}, {shape}" for figure in FIGURES for shape in SHAPES]
    return ["server", *shaped, "ready s", "MiB", "MB on disk"]


def row(contender: Contender) -> list[str]:
    """Medians over the rounds."""
    figures = [
        _number(statistics.median(map(figure.of, contender.measured(shape))))
        for figure in FIGURES
        for shape in SHAPES
    ]
    return [
        f"{contender.title} {contender.version}",
        *figures,
        f"{_ready(contender):.1f}",
        f"{_memory(contender):,.0f}",
        f"{contender.megabytes:,.0f}",
    ]


def table(contenders: Sequence[Contender]) -> Table:
    """For a terminal."""
    shown = Table(*head())
    for column in shown.columns[1:]:
        column.justify = "right"
    for contender in _whole(contenders):
        shown.add_row(*row(contender))
    return shown


def _whole(contenders: Sequence[Contender]) -> list[Contender]:
    """Those that went through all rounds."""
    return [one for one in contenders if not one.fault]


def write_json(
    contenders: Sequence[Contender], circumstances: Mapping[str, str], file: Path
) -> None:
    """Write every measurement.

    Raises:
        BenchmarkError: the file can't be written.

    """
    kept = {
        "circumstances": dict(circumstances),
        "servers": [
            {
                "server": f"{one.title} {one.version}",
                "settings": one.settings,
                "megabytes": one.megabytes,
                "fault": one.fault,
                "trials": [
                    {
                        "seconds_to_ready": done.seconds_to_ready,
                        "memory_mib": done.memory,
                        "loads": {str(shape): asdict(got) for shape, got in done.measured.items()},
                    }
                    for done in one.trials
                ],
            }
            for one in contenders
        ],
    }
    files.make_folder(file.parent)
    files.write_json(kept, file)


def write(contenders: Sequence[Contender], file: Path, told: str) -> None:
    """Put the table into a Markdown file, with how it came to be and where a peer is ahead.

    Raises:
        CommandError: the file can't be written, or has no place for it.

    """
    markdown.put(file, PLACE, head(), [row(contender) for contender in _whole(contenders)])
    sources = [f"- {one.title} {one.version}: {one.settings}" for one in contenders]
    lines = [told, "", *(f"- {line}" for line in ahead(contenders)), "", "Settings:", "", *sources]
    markdown.put_text(file, f"{PLACE} told", "\n".join(lines) + "\n")


def ahead(contenders: Sequence[Contender]) -> list[str]:
    """Where a peer is better than ours: the median over the rounds of its figure by ours."""
    ours, *others = _whole(contenders)
    found = [
        f"{other.title} is ahead in {what}: {ratio:.2f} times ours"
        for other in others
        for what, ratio in (*_loads_ahead(ours, other), *_totals_ahead(ours, other))
    ]
    failed = [f"{one.title} is left out: {one.fault}" for one in contenders if one.fault]
    return (found or ["no peer is ahead in any of these figures"]) + failed


def _loads_ahead(ours: Contender, other: Contender) -> Iterator[tuple[str, float]]:
    for figure in FIGURES:
        for shape in SHAPES:
            ratio = rounds.ratio(other.measured(shape), ours.measured(shape), figure.of)
            if ratio != 1 and (ratio > 1) == figure.more_is_better:
                yield f"{figure.title} at {shape}", ratio


def _totals_ahead(ours: Contender, other: Contender) -> Iterator[tuple[str, float]]:
    for what, mine, theirs in (
        ("time to ready", _ready(ours), _ready(other)),
        ("memory", _memory(ours), _memory(other)),
        ("size on disk", ours.megabytes, other.megabytes),
    ):
        if theirs < mine:
            yield what, theirs / mine


def _ready(contender: Contender) -> float:
    return statistics.median(one.seconds_to_ready for one in contender.trials)


def _memory(contender: Contender) -> float:
    return statistics.median(one.memory for one in contender.trials)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
