"""From a Keras model to an ONNX file that is proven equal, or as equal as was asked for."""

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
from export.proof import parity, timing
from export.proof.runtime import Array
from export.proof.timing import Measured
from export.source_run import Source
from export.variant import Variant
from tracking.artifacts import are_bytes

DEFAULT_RANGE = (0.0, 1.0)  # of the random rows, for a model that declares none


@dataclass(frozen=True)
class Prepared:
    """An ONNX file that may be published, and what is known of it."""

    onnx_file: Path
    tools: dict[str, str]
    parity: Parity
    measured: Measured
    quantization: Quantization | None = None
    golden_tolerance: float = TOLERANCE


def prepare(origin: Source, variant: Variant, folder: Path, console: Console) -> Prepared:
    """Make the ONNX file of a run's model in ``folder``.

    Raises:
        ExportError: a step failed, ONNX and Keras differ, or smaller numbers cost too much.

    """
    with child_process.keras_worker() as prove:
        return _prepare(origin, variant, folder, console, prove)


def _prepare(
    origin: Source, variant: Variant, folder: Path, console: Console, prove: Call
) -> Prepared:
    """``prove`` calls in a process that only compares models, in which Keras is loaded once."""
    whole = folder / "whole.onnx"
    _check_input(origin, variant)
    with console.status("converting to ONNX"):
        tools = child_process.fresh_keras(convert, origin.keras_file, whole, variant.input)
    graph_check.check(whole.read_bytes())
    _check_shape(origin, whole)
    with console.status("comparing Keras and ONNX"):
        proof = compare(origin, whole, prove)
    if shortfall := parity.shortfall(proof):
        raise ExportError(f"the ONNX model does not answer as the Keras model does: {shortfall}")
    rows = {_input(whole).name: origin.x_test.astype(variant.input)}
    if variant.method is None:
        with console.status("measuring its speed"):
            (measured,) = child_process.fresh_keras(timing.measure, [whole], rows, origin.y_test)
        return Prepared(whole, tools, proof, measured)
    smaller = folder / "smaller.onnx"
    with console.status(f"making it smaller: {variant.method}"):
        child_process.fresh_keras(_shrink, whole, smaller, variant, _calibration(origin, variant))
    graph_check.check(smaller.read_bytes())
    with console.status("measuring both"):
        proof = compare(origin, smaller, prove)
        before, after = child_process.fresh_keras(
            timing.measure, [whole, smaller], rows, origin.y_test
        )
    price = cost(variant, before, after)
    tolerance = quantize.INT8_TOLERANCE if variant.quantize else TOLERANCE
    return Prepared(smaller, tools, proof, after, price, tolerance)


def _check_input(origin: Source, variant: Variant) -> None:
    rows = origin.x_test
    if variant.input == "float32" or are_bytes(rows):
        return
    raise ExportError(
        f"--input {variant.input}: the test set has values from {rows.min():g} to {rows.max():g},"
        " not all of them whole numbers from 0 to 255"
    )


def _check_shape(origin: Source, onnx_file: Path) -> None:
    sizes = [size.dim_value for size in _input(onnx_file).type.tensor_type.shape.dim]
    if tuple(sizes[1:]) != origin.x_test.shape[1:]:
        raise ExportError(
            f"the model of run {origin.run_id} takes rows of shape {sizes[1:]}, and those of its"
            f" test set have the shape {list(origin.x_test.shape[1:])}"
        )


def _input(onnx_file: Path) -> onnx.ValueInfoProto:
    source: onnx.ValueInfoProto = onnx.load(onnx_file).graph.input[0]
    return source


def compare(origin: Source, onnx_file: Path, call: Call = child_process.fresh_keras) -> Parity:
    """How closely an ONNX file answers as the Keras model of a run does."""
    low, high = origin.range or DEFAULT_RANGE
    return call(parity.compare, origin.keras_file, onnx_file, origin.x_test, low, high)


def _calibration(origin: Source, variant: Variant) -> Array | None:
    if variant.quantize != "static":
        return None
    return origin.calibration().astype(variant.input)


def _shrink(whole: Path, smaller: Path, variant: Variant, rows: Array | None) -> None:
    """Write the form of a graph that has smaller numbers; needs ``rows`` to be static."""
    if rows is not None:
        quantize.static(whole, smaller, rows)
    elif variant.quantize:
        quantize.dynamic(whole, smaller)
    else:
        onnx.save(quantize.half(onnx.load(whole)), smaller)


def cost(variant: Variant, before: Measured, after: Measured) -> Quantization:
    """What smaller numbers cost and brought.

    Raises:
        ExportError: more than was allowed.

    """
    loss = before.test_accuracy - after.test_accuracy
    if not np.round(100 * loss, 9) <= variant.max_drop:
        raise ExportError(
            f"{variant.method} costs {100 * loss:.2f} points of test accuracy"
            f" ({before.test_accuracy:.2%} to {after.test_accuracy:.2%}), and"
            f" --max-drop allows {variant.max_drop:g}; nothing was published"
        )
    return Quantization(
        method=variant.method or "",
        accuracy_loss=loss,
        bytes_before=before.bytes,
        us_per_row_before=before.us_per_row,
    )
