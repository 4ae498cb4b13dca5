"""One export, from a run to a published version: convert, prove, publish, record."""

import multiprocessing
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from bundle import layout
from bundle.errors import BundleError
from bundle.manifest import Manifest, Parity
from export import parity, source, timing
from export.convert import convert
from export.errors import ExportError
from export.publish import publish
from export.record import record

Result = TypeVar("Result")
DEFAULT_RANGE = (0.0, 1.0)  # of the random rows, for a model that declares none


@dataclass(frozen=True)
class Published:
    """What an export made."""

    folder: Path
    parity: Parity
    us_per_row: Mapping[int, float]
    """By the rows of a run; CPU time of one thread."""
    registered: str
    """Its version in MLflow's registry."""

    def table(self) -> Table:
        """The proof, for people."""
        table = Table("measure", "value", title=f"Published {self.folder}", title_justify="left")
        table.columns[1].justify = "right"
        table.add_row("rows compared", f"{self.parity.rows:,}")
        difference = f"{self.parity.max_abs_difference:.1e}"
        table.add_row(f"largest difference (allowed {parity.MAX_ABS_DIFFERENCE:.0e})", difference)
        table.add_row("same top class", f"{self.parity.top1_agreement:.2%}")
        size = (self.folder / layout.MODEL_FILE).stat().st_size
        table.add_row("ONNX file", f"{size / 1000:,.0f} kB")
        for rows, microseconds in self.us_per_row.items():
            table.add_row(f"CPU time of a row, {rows} at once", f"{microseconds:.2f} µs")
        table.add_row("version in MLflow's registry", self.registered)
        return table


def export(run_id: str, name: str, root: Path, console: Console) -> Published:
    """Publish the model of ``run_id`` as the next version of ``name`` below ``root``.

    Raises:
        ExportError: a step failed, or ONNX and Keras differ. Nothing was published then, unless
            the message says so: only the record in MLflow comes after that.

    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with console.status("fetching the run's model and test set"):
            origin = source.load(run_id, folder)
        onnx_file = folder / layout.MODEL_FILE
        with console.status("converting to ONNX"):
            tools = _in_fresh_process(convert, origin.keras_file, onnx_file)
        with console.status("comparing Keras and ONNX"):
            proof = _prove(origin, onnx_file)
        with console.status("measuring its speed"):
            speed = _in_fresh_process(timing.us_per_row, onnx_file, origin.x_test)
        try:
            published = publish(origin, onnx_file, proof, tools, root, name)
        except BundleError as error:
            raise ExportError(str(error)) from None
        except OSError as error:
            raise ExportError(f"{root}: cannot publish: {error.strerror}") from None
    console.print(f"published {published}", highlight=False, markup=False, soft_wrap=True)
    with console.status("registering it in MLflow"):
        version = _record(published, origin, proof, speed)
    return Published(published, proof, speed, version)


def _record(
    published: Path, origin: source.Source, proof: Parity, speed: Mapping[int, float]
) -> str:
    measures = {
        "parity_rows": float(proof.rows),
        "parity_max_abs_difference": proof.max_abs_difference,
        "parity_top1_agreement": proof.top1_agreement,
        "onnx_bytes": float((published / layout.MODEL_FILE).stat().st_size),
    }
    measures |= {f"us_per_row_{rows}": microseconds for rows, microseconds in speed.items()}
    manifest = Manifest.from_json((published / layout.MANIFEST_FILE).read_bytes())
    return record(published, manifest, origin, measures)


def _prove(origin: source.Source, onnx_file: Path) -> Parity:
    low, high = origin.range or DEFAULT_RANGE
    proof = _in_fresh_process(
        parity.compare, origin.keras_file, onnx_file, origin.x_test, low, high
    )
    if shortfall := parity.shortfall(proof):
        raise ExportError(f"the ONNX model does not answer as the Keras model does: {shortfall}")
    return proof


def _in_fresh_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call ``function`` in a new Python process and return what it returns."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()  # else leaving the block would wait for its end
            raise
        except Exception as error:
            step = function.__module__.rpartition(".")[2]
            raise ExportError(f"{step} failed: {type(error).__name__}: {error}") from error
