"""One run of the grid, as it is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load.percentiles import QUANTILES
from benchmarks.report import files
from benchmarks.run.grid_point import Measured
from cli import markdown

SCHEMA = 1
NAMES = ("report.json", "report.md", "report.html")  # of its files
_PLACE = "run"  # of the table in a document
HEAD = (
    "rows x users",
    "requests/s",
    "rows/s",
    *(f"p{100 * quantile:g} ms" for quantile in QUANTILES),
    "CPU s per 1,000 rows",
    "peak MiB",
    "answers",
    "load's CPU",
    "",
)


@dataclass(frozen=True)
class Report:
    """All of it."""

    command: str
    """That repeats it."""
    circumstances: Mapping[str, str]
    model: Mapping[str, Any]
    """What the server told of the model: name, version, run_id, files, metrics."""
    cells: Sequence[Measured]
    memory: Sequence[tuple[float, float]]
    """Seconds since the start, and MiB; empty where the server was not started here."""

    def write_json(self, file: Path) -> None:
        """Write everything, the histograms too."""
        kept = {
            "schema": SCHEMA,
            "command": self.command,
            "circumstances": dict(self.circumstances),
            "model": dict(self.model),
            "cells": [cell.to_json() for cell in self.cells],
            "memory": [list(sample) for sample in self.memory],
        }
        files.write_json(kept, file)

    def write_markdown(self, file: Path) -> None:
        """Write the table, with what it is worth nothing without."""
        lines = ["# Load test", "", *(f"- {key}: {text}" for key, text in self.facts()), ""]
        lines += ["| " + " | ".join(HEAD) + " |", "|---" + "|--:" * (len(HEAD) - 1) + "|"]
        lines += ["| " + " | ".join(row(cell)) + " |" for cell in self.cells]
        files.write("\n".join([*lines, "", *NOTES, ""]), file)

    def put_into(self, file: Path) -> None:
        """Put the table into a document, in place of the one that stands there.

        Raises:
            CommandError: it can't be written, or has no place for the table.

        """
        markdown.put(file, _PLACE, HEAD, [row(cell) for cell in self.cells])
        facts = [f"- {key}: {text}" for key, text in self.facts()]
        markdown.put_text(file, f"{_PLACE} told", "\n".join(facts) + "\n")

    def facts(self) -> list[tuple[str, str]]:
        """What stands above the table."""
        accuracy = self.model.get("metrics", {}).get("test_accuracy")
        known = f", test accuracy {accuracy:.2%}" if accuracy is not None else ""
        return [
            ("model", f"{self.model['name']} version {self.model['version']}{known}"),
            *self.circumstances.items(),
            ("command", f"`{self.command}`"),
        ]


NOTES = (
    "Milliseconds are those at the client, each with the bounds between which the true percentile"
    " lies: either bound holds with 99 % confidence, if answers are taken as independent.",
    "A percentile that the number of answers does not support is left out (–).",
    "Of several repeats, rates, CPU and memory are medians, and percentiles are of all answers"
    " together; report.json, which lies beside this, has all histograms.",
    "The figures of a line with * do not count, for the reason at its end.",
    "The load is closed: each user waits for its answer, so that a slow answer also delays the"
    " next request. `python -m benchmarks capacity` measures with an open load.",
)


def row(measured: Measured) -> list[str]:
    """One line of the table."""
    found = {one.quantile: str(one) for one in measured.percentiles}
    memory = measured.median("peak_memory_mib")
    cpu = measured.median("cpu_seconds_per_1000_rows")
    return [
        f"{measured.cell}{' *' * bool(measured.faults)}",
        f"{measured.median('requests_per_second'):,.0f}",
        f"{measured.median('rows_per_second'):,.0f}" if measured.cell.rows else "",
        *(found.get(quantile, "–") for quantile in QUANTILES),
        "" if cpu is None or not measured.cell.rows else f"{cpu:.4f}",
        "" if memory is None else f"{memory:.0f}",
        f"{measured.latencies.get_total_count():,}",
        f"{measured.median('generator_share'):.0%}",
        "; ".join(measured.faults),
    ]
