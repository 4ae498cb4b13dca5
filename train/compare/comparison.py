"""Compare runs: read them from MLflow, print a table, write files."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from tracking import metrics, mlflow_store
from train.compare import (
    comparison_page,
    comparison_table,
    finished_runs,
    markdown_table,
    run_groups,
    significance,
)
from train.compare.compare_arguments import CompareOptions
from train.errors import TrainError


def compare(wanted: CompareOptions, console: Console) -> None:
    """Print the table, and write the requested files.

    Raises:
        CommandError: MLflow can't be used, there is nothing to compare, or a file can't be written.

    """
    if reason := mlflow_store.missing():
        raise TrainError(reason)
    uri = mlflow_store.connect()
    try:
        _compare(wanted, console)
    except mlflow_store.STORE_ERRORS as error:
        raise mlflow_store.unusable(uri, error) from None


def _compare(wanted: CompareOptions, console: Console) -> None:
    with console.status("reading MLflow's runs"):
        found = finished_runs.find(wanted)
        task = found[0].task
        metric = wanted.sort or metrics.primary(task, "val")
        lines = run_groups.grouped(found, metric)
        importance = finished_runs.importance(found)
        shown = significance.against_best(lines[: wanted.top], task)
    title = f"{len(found)} runs, best {metric} first"
    if len(shown) < len(lines):
        title += f" ({len(shown)} of {len(lines)} lines; --top {len(lines)} for all)"
    _print(comparison_table.terminal(shown, title))
    if importance:
        shown_parts = ", ".join(f"{name} {part:.0%}" for name, part in importance.items())
        console.print(f"importance of the options: {shown_parts}", highlight=False)
    if runs := [group.runs[0] for group in shown if not group.runs[0].is_baseline]:
        console.print(f"best: python -m export --run {runs[0].run_id}", highlight=False)
    if wanted.html:
        with console.status("drawing the page"):
            comparison_page.write(shown, task, importance, metric, title, wanted.html)
        console.print(f"wrote {wanted.html}", highlight=False)
    if wanted.markdown:
        markdown_table.write(shown, wanted.markdown)
        console.print(f"wrote {wanted.markdown}", highlight=False)


def _print(table: Table) -> None:
    """Print a table to stdout; to a file in full width."""
    out = Console()
    if not out.is_terminal:
        wanted = Measurement.get(out, out.options.update(max_width=1000), table)
        out = Console(width=max(80, wanted.maximum))
    out.print(table)
