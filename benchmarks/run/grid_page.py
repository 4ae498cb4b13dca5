"""The report of a grid as one page that needs no other file."""

from html import escape
from pathlib import Path

from benchmarks.run import grid_plots
from benchmarks.run.grid_report import COLUMNS, NOTES, GridReport, cells
from cli import html


def write(report: GridReport, file: Path) -> None:
    """Write the page.

    Raises:
        CommandError: the file can't be written.

    """
    results, model = report.results, report.model
    facts = "".join(f"<li>{escape(key)}: {escape(text)}</li>" for key, text in report.facts())
    all_users = sorted({one.point.users for one in results if one.point.rows})
    users = all_users[len(all_users) // 2]
    figures = {
        "Latency against throughput": grid_plots.latency_against_throughput(results),
        f"Percentiles by batch size, {users} users": grid_plots.percentiles_by_size(results, users),
        "CPU time of the server per row": grid_plots.cpu_per_row(results),
    }
    parts = [
        f"<ul>{facts}</ul>",
        html.table(COLUMNS, [cells(one) for one in results]),
        *(f"<p>{escape(note)}</p>" for note in NOTES),
        "<p>A mark is a number of users. The star is the knee: the most throughput for its p99."
        " The figures of an open mark do not count; the table says why.</p>",
        html.plots(figures),
    ]
    html.write(file, f"Load test of {model['name']} version {model['version']}", parts)
