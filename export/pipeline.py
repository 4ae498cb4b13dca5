"""One export, from a run to a published version: convert, prove, publish, record."""

import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import mlflow
from mlflow.exceptions import MlflowException
from rich.console import Console
from rich.table import Table

from bundle import layout
from bundle.errors import BundleError
from bundle.manifest import Parity
from export import parity, source
from export.convert import convert
from export.errors import ExportError
from export.publish import publish

Result = TypeVar("Result")
DEFAULT_RANGE = (0.0, 1.0)  # of the random rows, for a model that declares none


@dataclass(frozen=True)
class Published:
    """What an export made."""

    folder: Path
    parity: Parity

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
        try:
            published = publish(origin, onnx_file, proof, tools, root, name)
        except BundleError as error:
            raise ExportError(str(error)) from None
        except OSError as error:
            raise ExportError(f"{root}: cannot publish: {error.strerror}") from None
    _record(published, origin, proof)
    return Published(published, proof)


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


def _record(published: Path, origin: source.Source, proof: Parity) -> None:
    """Add what was published, and the proof, to the run that the model came from."""
    client = mlflow.MlflowClient()
    try:
        for file in (layout.MODEL_FILE, layout.MANIFEST_FILE):
            client.log_artifact(origin.run_id, str(published / file), "onnx")
        size = (published / layout.MODEL_FILE).stat().st_size
        for name, value in (
            ("parity_rows", proof.rows),
            ("parity_max_abs_difference", proof.max_abs_difference),
            ("parity_top1_agreement", proof.top1_agreement),
            ("onnx_bytes", size),
        ):
            client.log_metric(origin.run_id, name, value)
        client.set_tag(origin.run_id, "published", "/".join(published.parts[-2:]))
    except (MlflowException, OSError) as error:
        raise ExportError(
            f"{published} is published, but MLflow did not take it: {error}"
        ) from None
