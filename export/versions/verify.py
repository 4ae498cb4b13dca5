"""Proving a published version again: from its own files, and from its run where that is reached."""

import tempfile
from pathlib import Path

import onnx
from rich.console import Console

from bundle import layout, reader
from bundle.errors import BundleError
from bundle.manifest import Manifest
from bundle.measurements import Parity
from bundle.reader import Bundle
from export import child_process, source_run
from export.errors import ExportError
from export.graph import graph_check
from export.proof import parity, runtime, timing
from export.publishing.prepare import compare
from export.versions import version_report
from export.versions.version_folder import located, refuse_strangers

# A few rows near the border between two classes may change sides on another CPU.
ACCURACY_TOLERANCE = 1e-3
AGREEMENT_TOLERANCE = 5e-3


def verify(folder: Path, key: Path | None, console: Console) -> None:
    """Check a version's files, its answers, and that it is as equal to its source as it says.

    Args:
        folder: of the version.
        key: a public key; the version must be signed with its private one.
        console: gets the tables.

    Raises:
        ExportError: something is not as the manifest says.

    """
    root, name, version = located(folder)
    try:
        bundle = reader.read_version(root, name, version, key)
        answers(bundle)
    except BundleError as error:
        raise ExportError(str(error)) from None
    if bundle.manifest is None:
        raise ExportError(f"{folder}: has no manifest.json that says what it should be")
    refuse_strangers(root / name / str(version), bundle.manifest)
    _say(console, f"{folder}: its files and its answers are those that were published")
    if bundle.manifest.run_id is None:
        _say(console, "it was made elsewhere: there is no run to compare it with")
        return
    with tempfile.TemporaryDirectory() as temporary:
        try:
            source_run.connect()
            origin = source_run.load(bundle.manifest.run_id, Path(temporary))
        except ExportError as error:
            _say(console, f"not compared with its Keras model: {error}")
            return
        with console.status("comparing Keras and ONNX"):
            onnx_file = Path(temporary) / layout.MODEL_FILE
            onnx_file.write_bytes(bundle.model)
            found = compare(origin, onnx_file)
            taken = bundle.manifest.inputs[0]
            rows = {taken.name: origin.x_test.astype(taken.dtype)}
            accuracy = child_process.fresh_keras(timing.accuracy, onnx_file, rows, origin.y_test)
    console.print(version_report.proof(found))
    if shortfall := _shortfall(bundle.manifest, found):
        raise ExportError(f"it does not answer as its Keras model does: {shortfall}")
    said = bundle.manifest.metrics.get("test_accuracy", accuracy)
    if not abs(said - accuracy) <= ACCURACY_TOLERANCE:
        raise ExportError(f"its test accuracy is {accuracy:.2%}; the manifest says {said:.2%}")


def _shortfall(manifest: Manifest, found: Parity) -> str | None:
    """What keeps it from being as equal to its source as the manifest says."""
    if manifest.quantization is None or manifest.parity is None:
        return parity.shortfall(found)
    said = manifest.parity.top1_agreement
    if found.top1_agreement >= said - AGREEMENT_TOLERANCE:
        return None
    return (
        f"the top class agrees on {found.top1_agreement:.2%} of the rows; the manifest says"
        f" {said:.2%}"
    )


def answers(bundle: Bundle) -> None:
    """Have the golden inputs answered at once, and row by row where the model came from a run.

    What others made may well depend on the rows beside a row.

    Raises:
        BundleError: the answers are others than the published ones.
        ExportError: the graph is not one that the server takes.

    """
    graph_check.check(bundle.model)
    if bundle.golden is None:
        return
    names = [output.name for output in onnx.load_from_string(bundle.model).graph.output]
    inputs = bundle.golden.inputs
    try:
        ways = [runtime.asker(bundle.model)(inputs)]
        if bundle.manifest and bundle.manifest.run_id:
            ways.append(runtime.answers(bundle.model, inputs, 1))
    except Exception as error:  # onnxruntime has no common class for what it raises
        raise ExportError(f"the golden inputs do not run: {' '.join(str(error).split())}") from None
    for got in ways:
        bundle.golden.check(dict(zip(names, got, strict=True)))


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
