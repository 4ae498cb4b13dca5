"""A load test's report as one page that needs nothing beside it."""

from html import escape
from pathlib import Path

from benchmarks.report import grid_plots
from benchmarks.report.grid_report import HEAD, NOTES, Report, row
from cli import html


def write(report: Report, file: Path) -> None:
    """Write the page.

    Raises:
        CommandError: the file can't be written.

    """
    facts = "".join(f"<li>{escape(key)}: {escape(text)}</li>" for key, text in report.facts())
    middle = sorted({one.cell.users for one in report.cells if one.cell.rows})
    users = middle[len(middle) // 2]
    figures = {
        "Latency against throughput": grid_plots.latency_against_throughput(report.cells),
        f"Percentiles by batch size, {users} users": grid_plots.percentiles(report.cells, users),
        "CPU of the server a row": grid_plots.cpu_per_row(report.cells),
        "Memory of the server": grid_plots.memory(report.memory),
    }
    parts = [
        f"<ul>{facts}</ul>",
        html.table(HEAD, [row(one) for one in report.cells]),
        f"<p>{escape(' '.join(NOTES))}</p>",
        "<p>A point is a number of users. The star is the knee: the most rows a second for its p99."
        " An open mark is a cell whose figures do not count; the table says why.</p>",
        html.plots(figures),
    ]
    model = report.model
    html.write(file, f"Load test of {model['name']} version {model['version']}", parts)
