"""One comparison, from MLflow to the terminal and to files."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from train.compare import groups, page, runs, table
from train.compare.arguments import Compare


def compare(wanted: Compare, console: Console) -> None:
    """Print the table, and write what else is wanted.

    Raises:
        TrainError: there is nothing to compare, or a file can't be written.

    """
    with console.status("reading MLflow's runs"):
        found = runs.find(wanted)
        lines = groups.grouped(found, wanted.sort)
    shown = lines[: wanted.top]
    title = f"{len(found)} runs, best {wanted.sort} first"
    if len(shown) < len(lines):
        title += f" ({len(shown)} of {len(lines)} lines; --top {len(lines)} for all)"
    show(table.terminal(shown, title))
    console.print(f"best: python -m export --run {shown[0].runs[0].run_id}", highlight=False)
    if wanted.html:
        with console.status("drawing"):
            page.write(shown, wanted.sort, title, wanted.html)
        console.print(f"wrote {wanted.html}", highlight=False)
    if wanted.markdown:
        table.write_markdown(shown, wanted.markdown)
        console.print(f"wrote {wanted.markdown}", highlight=False)


def show(what: Table) -> None:
    """Print a table to stdout, in a file as wide as it needs."""
    out = Console()
    if not out.is_terminal:
        wanted = Measurement.get(out, out.options.update(max_width=1000), what)
        out = Console(width=max(80, wanted.maximum))
    out.print(what)
