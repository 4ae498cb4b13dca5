"""From a Keras model to an ONNX file that gives the same results, or close enough ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from rich.console import Console

from bundle.golden import TOLERANCE
from bundle.measurements import Parity, Quantization
from export import child_process
from export.child_process import Call
from export.errors import ExportError
from export.graph import graph_check, quantize
from export.graph.convert import convert
from export.proof import edge_inputs, parity, score, timing
from export.proof.runtime import Array
from export.proof.score import Score
from export.proof.timing import Measurements
from export.source_run import SourceRun
from export.variant import Variant
from tracking.artifacts import are_bytes


@dataclass(frozen=True)
class PreparedModel:
    """An ONNX file that may be published, and what was measured of it."""

    onnx_file: Path
    tools: dict[str, str]
    parity: Parity
    measured: Measurements
    quantization: Quantization | None = None
    golden_tolerance: float = TOLERANCE


def prepare(origin: SourceRun, variant: Variant, folder: Path, console: Console) -> PreparedModel:
    """Create the ONNX file of a run's model in ``folder``.

    Raises:
        ExportError: a step failed, ONNX and Keras differ, or quantization costs too much.

    """
    with child_process.keras_worker() as prove:
        return _prepare(origin, variant, folder, console, prove)


def _prepare(
    origin: SourceRun, variant: Variant, folder: Path, console: Console, prove: Call
) -> PreparedModel:
    """``prove`` calls functions in a process that does nothing but compare models."""
    plain = folder / "plain.onnx"
    _check_input(origin, variant)
    with console.status("converting to ONNX"):
        tools = child_process.fresh_keras(convert, origin.keras_file, plain, variant.input)
    graph_check.check(plain.read_bytes())
    _check_shape(origin, plain)
    with console.status("comparing Keras and ONNX"):
        proof = compare(origin, plain, prove)
    if mismatch := parity.mismatch(proof):
        raise ExportError(f"the ONNX model does not match the Keras model: {mismatch}")
    rows = {_input(plain).name: origin.x_test.astype(variant.input)}
    if variant.method is None:
        with console.status("measuring its CPU time"):
            (measured,) = child_process.fresh_keras(
                timing.measure, [plain], rows, origin.y_test, origin.task
            )
        return PreparedModel(plain, tools, proof, measured, None, TOLERANCE * proof.scale)
    quantized = folder / "quantized.onnx"
    with console.status(f"quantizing: {variant.method}"):
        child_process.fresh_keras(
            _quantize, plain, quantized, variant, _calibration(origin, variant)
        )
    graph_check.check(quantized.read_bytes())
    with console.status("measuring both"):
        proof = compare(origin, quantized, prove)
        before, after = child_process.fresh_keras(
            timing.measure, [plain, quantized], rows, origin.y_test, origin.task
        )
    quantization = cost(score.of_task(origin.task), variant, before, after)
    tolerance = quantize.INT8_TOLERANCE if variant.quantize else TOLERANCE
    return PreparedModel(quantized, tools, proof, after, quantization, tolerance * proof.scale)


def _check_input(origin: SourceRun, variant: Variant) -> None:
    rows = origin.x_test
    if variant.input != "float32" and origin.features:
        raise ExportError(f"--input {variant.input}: the input of a table is always float32")
    if variant.input == "float32" or are_bytes(rows):
        return
    raise ExportError(
        f"--input {variant.input}: the test set has values from {rows.min():g} to {rows.max():g},"
        " not all of them plain numbers from 0 to 255"
    )


def _check_shape(origin: SourceRun, onnx_file: Path) -> None:
    sizes = [size.dim_value for size in _input(onnx_file).type.tensor_type.shape.dim]
    if tuple(sizes[1:]) != origin.x_test.shape[1:]:
        raise ExportError(
            f"the model of run {origin.run_id} takes rows of shape {sizes[1:]}, and those of its"
            f" test set have the shape {list(origin.x_test.shape[1:])}"
        )


def _input(onnx_file: Path) -> onnx.ValueInfoProto:
    source: onnx.ValueInfoProto = onnx.load(onnx_file).graph.input[0]
    return source


def compare(origin: SourceRun, onnx_file: Path, call: Call = child_process.fresh_keras) -> Parity:
    """Compare an ONNX file with the Keras model of a run."""
    columns = (
        edge_inputs.of_table(origin.features)
        if origin.features
        else edge_inputs.of_range(origin.x_test.shape[1], origin.range)
    )
    spread = float(origin.y_test.std()) if origin.task == "regression" else None
    edges = edge_inputs.rows(columns)
    return call(parity.compare, origin.keras_file, onnx_file, origin.x_test, edges, spread)


def _calibration(origin: SourceRun, variant: Variant) -> Array | None:
    if variant.quantize != "static":
        return None
    return origin.calibration().astype(variant.input)


def _quantize(plain: Path, quantized: Path, variant: Variant, rows: Array | None) -> None:
    """Write the quantized form of a graph; static quantization needs ``rows``."""
    if rows is not None:
        quantize.static(plain, quantized, rows)
    elif variant.quantize:
        quantize.dynamic(plain, quantized)
    else:
        onnx.save(quantize.half(onnx.load(plain)), quantized)


def cost(
    scored: Score, variant: Variant, before: Measurements, after: Measurements
) -> Quantization:
    """Compare a quantized model with the plain one.

    Raises:
        ExportError: it is worse than allowed.

    """
    values = [measured.metrics[scored.metric] for measured in (before, after)]
    loss = scored.loss(*values)
    if not np.round(100 * loss, 9) <= variant.max_drop:
        raise ExportError(
            f"{variant.method} makes the test {scored.title} {scored.show_loss(loss)} worse"
            f" ({' to '.join(map(scored.show, values))}), and --max-drop allows"
            f" {variant.max_drop:g}; nothing was published"
        )
    return Quantization(
        method=variant.method or "",
        bytes_before=before.bytes,
        us_per_row_before=before.us_per_row,
        **{scored.loss_metric: loss},
    )
