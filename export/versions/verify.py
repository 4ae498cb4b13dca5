"""Verify a published version against its manifest, and against its run if that is available."""

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
from export.proof import parity, runtime, score
from export.publishing.prepare import compare
from export.versions import version_report
from export.versions.version_folder import locate, refuse_extra_files

# On another CPU, a few rows near the border between two classes may get the other class.
SCORE_TOLERANCE = 1e-3
AGREEMENT_TOLERANCE = 5e-3


def verify(folder: Path, key: Path | None, console: Console) -> None:
    """Check the files and outputs of a version, and compare it with its Keras model again.

    Args:
        folder: of the version.
        key: a public key; the version must be signed with the matching private key.
        console: for the tables.

    Raises:
        ExportError: the version differs from its manifest.

    """
    root, name, version = locate(folder)
    try:
        bundle = reader.read_version(root, name, version, key)
        check_golden(bundle)
    except BundleError as error:
        raise ExportError(str(error)) from None
    if bundle.manifest is None:
        raise ExportError(f"{folder}: has no manifest.json")
    refuse_extra_files(root / name / str(version), bundle.manifest)
    _say(console, f"{folder}: files and golden outputs are unchanged")
    if bundle.manifest.run_id is None:
        _say(console, "it was imported: there is no run to compare it with")
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
            model_input = bundle.manifest.inputs[0]
            rows = {model_input.name: origin.x_test.astype(model_input.dtype)}
            metrics = child_process.fresh_keras(
                score.measure, origin.task, onnx_file, rows, origin.y_test
            )
    console.print(version_report.proof(found))
    if mismatch := _shortfall(bundle.manifest, found):
        raise ExportError(f"it does not match its Keras model: {mismatch}")
    scored = score.of_task(origin.task)
    measured = metrics[scored.metric]
    declared = bundle.manifest.metrics.get(scored.metric, measured)
    if not abs(scored.loss(declared, measured)) <= SCORE_TOLERANCE:
        raise ExportError(
            f"its test {scored.title} is {scored.show(measured)}; the manifest says"
            f" {scored.show(declared)}"
        )


def _shortfall(manifest: Manifest, found: Parity) -> str | None:
    """Why it is further from its Keras model than the manifest says."""
    if manifest.quantization is None or manifest.parity is None:
        return parity.mismatch(found)
    declared = manifest.parity.top1_agreement
    if declared is None or found.top1_agreement is None:
        return None  # a regression, which is judged by its RMSE
    if found.top1_agreement >= declared - AGREEMENT_TOLERANCE:
        return None
    return (
        f"the top class agrees on {found.top1_agreement:.2%} of the rows; the manifest says"
        f" {declared:.2%}"
    )


def check_golden(bundle: Bundle) -> None:
    """Run the golden inputs as one batch, and row by row if the model came from a run.

    The outputs of an imported model may depend on the other rows of a batch.

    Raises:
        BundleError: the outputs differ from the published ones.
        ExportError: the server could not load the graph.

    """
    graph_check.check(bundle.model)
    if bundle.golden is None:
        return
    names = [output.name for output in onnx.load_from_string(bundle.model).graph.output]
    inputs = bundle.golden.inputs
    try:
        results = [runtime.session(bundle.model)(inputs)]
        if bundle.manifest and bundle.manifest.run_id:
            results.append(runtime.predict(bundle.model, inputs, 1))
    except Exception as error:  # onnxruntime has no common class for what it raises
        raise ExportError(
            f"the model fails on its golden inputs: {' '.join(str(error).split())}"
        ) from None
    for result in results:
        bundle.golden.check(dict(zip(names, result, strict=True)))


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
