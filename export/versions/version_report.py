"""Tables about a published version: comparison with Keras, test score, size and CPU time."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.table import Table

from bundle import layout
from bundle.manifest import Manifest
from bundle.measurements import Difference, Parity
from export.proof import score


def of(folder: Path, manifest: Manifest) -> Group:
    """Combine both tables."""
    tables = [proof(manifest.parity)] if manifest.parity else []
    return Group(*tables, _costs(folder, manifest))


def proof(parity: Parity) -> Table:
    """How far the outputs of ONNX are from those of Keras, part by part."""
    table = Table(
        "rows of",
        "rows",
        "max",
        "mean",
        "logits max",
        "logits mean",
        "same top",
        title="How far ONNX is from Keras",
        title_justify="left",
        box=box.SIMPLE_HEAD,  # with the next two lines it fits in 80 columns
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for part_name, part in parity.parts.items():
        table.add_row(part_name, *_cells(part))
    table.add_section()
    table.add_row("all", *_cells(parity))
    return table


def _cells(part: Difference) -> list[str]:
    small = (
        part.max_abs_difference,
        part.mean_abs_difference,
        part.max_abs_logit_difference,
        part.mean_abs_logit_difference,
    )
    shown = ["–" if value is None else f"{value:.1e}" for value in small]
    return [f"{part.rows:,}", *shown, _share(part.top1_agreement)]


def _share(agreement: float | None) -> str:
    if agreement is None:
        return "–"
    if agreement < 1:
        agreement = min(agreement, 0.9999)  # never round to 100 %
    return f"{agreement:.2%}"


def _costs(folder: Path, manifest: Manifest) -> Table:
    """Test score, size and CPU time, beside those before quantization."""
    before = manifest.quantization
    table = Table("measure", "value", title=f"Published {folder}", title_justify="left")
    if before:
        table.columns[1].header = before.method
        table.add_column("float32")
    for column in table.columns[1:]:
        column.justify = "right"
    size = (folder / layout.MODEL_FILE).stat().st_size
    rows: list[tuple[str, float, float | None, Callable[[float], str]]] = []
    scored = score.of_task(manifest.task)
    if (value := manifest.metrics.get(scored.metric)) is not None:
        loss = scored.quantization_loss(manifest)
        was = None if loss is None else scored.before(value, loss)
        rows.append((f"test {scored.title}", value, was, scored.show))
    rows.append(("ONNX file", size, before.bytes_before if before else None, _kilobytes))
    earlier: Mapping[str, float] = before.us_per_row_before if before else {}
    rows += [
        (
            f"CPU time per row, batch of {rows_per_run}",
            value,
            earlier.get(rows_per_run),
            "{:.2f} µs".format,
        )
        for rows_per_run, value in manifest.us_per_row.items()
    ]
    for name, value, was, show in rows:
        table.add_row(name, show(value), *([] if was is None else [show(was)]))
    return table


def _kilobytes(size: float) -> str:
    return f"{size / 1000:,.0f} kB"


def _slower(manifest: Manifest) -> list[str]:
    """Batch sizes for which it takes over 5 % longer than float32."""
    before = manifest.quantization.us_per_row_before if manifest.quantization else {}
    now = manifest.us_per_row
    return [size for size in before if now[size] > 1.05 * before[size]]


def show(console: Console, folder: Path, manifest: Manifest) -> None:
    """Print everything."""
    console.print(of(folder, manifest))
    show_slower(console, manifest)


def show_slower(console: Console, manifest: Manifest) -> None:
    """Say for which batch sizes quantization made the model slower on this machine."""
    if manifest.quantization and (sizes := _slower(manifest)):
        console.print(
            f"{manifest.quantization.method} is slower than float32 on this machine for batches of"
            f" {', '.join(sizes)}",
            highlight=False,
        )
