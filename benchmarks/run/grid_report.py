"""The report of a grid: JSON with all histograms, and a table in Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import percentiles
from benchmarks.load.percentiles import QUANTILES
from benchmarks.report import files, tables
from benchmarks.run.grid_point import PointResult
from export.proof import score

SCHEMA = 2
NAMES = ("report.json", "report.md", "report.html")
_MARKER = "run"  # of the table in a document
COLUMNS = (
    "rows x users",
    "requests/s",
    "rows/s",
    *(f"{percentiles.name(quantile)} ms" for quantile in QUANTILES),
    "CPU s per 1,000 rows",
    "MiB",
    "requests",
    "wrk's CPU",
    "",
)
NOTES = (
    "All figures are medians of the repeats. Milliseconds are measured at the client; the smallest"
    " and the largest of the repeats stand in brackets. A percentile is left out (–) unless each"
    " repeat has enough answers for it: 459 for a p99, 4,603 for a p99.9.",
    "Lines with * do not count, for the reason at their end.",
    "wrk sends the load, and counts the statuses of the answers. Eight answers of each size are"
    " compared with the golden outputs before the load, and again after it.",
    "Memory is the proportional set size of the server right after the load, the largest of the"
    " repeats.",
    "The load is closed: each user waits for an answer before it sends the next request, so a slow"
    " answer also delays that one. `python -m benchmarks capacity` measures with an open load.",
)


@dataclass(frozen=True)
class GridReport:
    """Everything about one run of the grid."""

    circumstances: Mapping[str, str]
    model: Mapping[str, Any]
    """What the server says of the model: name, version, run_id, files, metrics."""
    results: Sequence[PointResult]

    def write_json(self, file: Path) -> None:
        """Write everything, with the histograms."""
        document = {
            "schema": SCHEMA,
            "command": tables.command(),
            "circumstances": self.circumstances,
            "model": self.model,
            "points": [
                vars(one) | {"faults": one.faults, "percentiles": one.percentiles}
                for one in self.results
            ],
        }
        files.write_json(document, file)

    def write_markdown(self, file: Path) -> None:
        """Write the table, and what one has to know to read it."""
        lines = ["# Load test", "", *(f"- {key}: {text}" for key, text in self.facts()), ""]
        lines += ["| " + " | ".join(COLUMNS) + " |", "|---" + "|--:" * (len(COLUMNS) - 1) + "|"]
        lines += ["| " + " | ".join(cells(one)) + " |" for one in self.results]
        lines += ["", *(f"- {note}" for note in NOTES), ""]
        file.write_text("\n".join(lines))

    def put_into(self, file: Path) -> None:
        """Put the table into a document, in place of the one that is there.

        Raises:
            CommandError: it can't be written, or has no markers for the table.

        """
        facts = [f"{key}: {text}" for key, text in self.facts()]
        tables.put(file, _MARKER, COLUMNS, [cells(one) for one in self.results], facts)

    def facts(self) -> list[tuple[str, str]]:
        """What stands above the table."""
        scored = score.of_task(self.model.get("task"))
        value = self.model.get("metrics", {}).get(scored.metric)
        known = f", test {scored.title} {scored.show(value)}" if value is not None else ""
        return [
            ("model", f"{self.model['name']} version {self.model['version']}{known}"),
            *self.circumstances.items(),
            ("command", tables.command()),
        ]


def cells(result: PointResult) -> list[str]:
    """One line of the table."""
    point, found = result.point, result.percentiles
    cpu, memory = result.cpu_seconds_per_1000_rows, result.memory_mib
    return [
        f"{point}{' *' * bool(result.faults)}",
        f"{result.requests_per_second:,.0f}",
        f"{result.rows_per_second:,.0f}" if point.rows else "",
        *(str(found.get(quantile, "–")) for quantile in QUANTILES),
        "" if cpu is None or not point.rows else f"{cpu:.4f}",
        "" if memory is None else f"{memory:.0f}",
        f"{sum(one.requests for one in result.repeats):,}",
        f"{result.generator_share:.0%}",
        "; ".join(result.faults),
    ]
