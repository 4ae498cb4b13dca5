"""A table of the published versions in a repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.table import Table

from bundle import labels, layout
from bundle.errors import BundleError
from bundle.manifest import Manifest
from cli import markdown
from export.errors import ExportError
from export.proof import score

_HEADER = (
    "version",
    "aliases",
    "form",
    "test",
    "loss",
    "kB",
    "µs per row, 1",
    "32",
    "256",
    "run",
)


@dataclass(frozen=True)
class Version:
    """One version; without a manifest if export did not publish it."""

    name: str
    number: int
    aliases: tuple[str, ...]
    size: int
    signed: bool
    manifest: Manifest | None
    problem: str = "no manifest"
    """Why there is no manifest."""


def versions(root: Path, name: str | None) -> list[Version]:
    """List the versions of the model ``name``, or of all models.

    Raises:
        ExportError: there is no repository, or no such model in it.

    """
    try:
        names = layout.models(root)
        if name is not None and name not in names:
            raise ExportError(f"{root} has no model {name}; it has {', '.join(names) or 'none'}")
        chosen = names if name is None else [name]
        return [
            _version(root, one, number) for one in chosen for number in layout.versions(root, one)
        ]
    except BundleError as error:
        raise ExportError(str(error)) from None


def _version(root: Path, name: str, number: int) -> Version:
    folder = root / name / str(number)
    aliases = tuple(text for text, of in labels.read(root, name).versions.items() if of == number)
    file = folder / layout.MANIFEST_FILE
    manifest, problem = None, "no manifest"
    if file.is_file():
        try:
            manifest = Manifest.from_json(file.read_bytes())
        except BundleError as error:
            problem = f"{layout.MANIFEST_FILE}: {error}"
    model = folder / layout.MODEL_FILE
    size = model.stat().st_size if model.is_file() else 0
    signed = (folder / layout.SIGNATURE_FILE).is_file()
    return Version(name, number, aliases, size, signed, manifest, problem)


def table(found: Sequence[Version]) -> Table:
    """Draw the table for a terminal."""
    drawn = Table(*_HEADER, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in drawn.columns[3:-1]:
        column.justify = "right"
    for version in found:
        drawn.add_row(*_cells(version))
    return drawn


def write(found: Sequence[Version], file: Path) -> None:
    """Replace the table in a Markdown file.

    Raises:
        CommandError: the file can't be read or written, or has no markers for the table.

    """
    markdown.put_table(file, "versions", _HEADER, map(_cells, found))


def _cells(version: Version) -> list[str]:
    aliases = ", ".join(version.aliases) + (" (signed)" if version.signed else "")
    name = f"{version.name}/{version.number}"
    manifest = version.manifest
    if manifest is None:
        return [name, aliases, version.problem, "–", "–", _kilobytes(version.size), *["–"] * 4]
    scored = score.of_task(manifest.task)
    value, loss = manifest.metrics.get(scored.metric), scored.quantization_loss(manifest)
    speeds = [manifest.us_per_row.get(rows) for rows in ("1", "32", "256")]
    return [
        name,
        aliases,
        form(manifest),
        "–" if value is None else f"{scored.show(value)} {scored.title}",
        "–" if loss is None else f"{100 * loss:.2f}",
        _kilobytes(version.size),
        *("–" if speed is None else f"{speed:.2f}" for speed in speeds),
        manifest.run_id[:8] if manifest.run_id else "imported",
    ]


def form(manifest: Manifest) -> str:
    """Dtypes of the inputs, and the quantization."""
    dtypes = " + ".join(spec.dtype for spec in manifest.inputs)
    return dtypes if manifest.quantization is None else f"{dtypes}, {manifest.quantization.method}"


def _kilobytes(size: int) -> str:
    return f"{size / 1000:,.0f}"
