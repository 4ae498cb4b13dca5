"""Publish a model that does not come from a training run."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx

from bundle.errors import BundleError
from bundle.features import Feature
from bundle.golden import TOLERANCE, Golden
from bundle.manifest import BATCH, Manifest, TensorSpec
from cli import class_names
from export import child_process
from export.errors import ExportError
from export.graph import graph_check, quantize
from export.importing import golden_inputs, keras_file, onnx_file, pickled
from export.importing import rows as rows_file
from export.importing.converted import Converted
from export.importing.rows import Rows
from export.proof import timing
from export.publishing import publish

_CONVERT = {".keras": keras_file.convert} | dict.fromkeys(pickled.SUFFIXES, pickled.convert)


def import_model(
    file: Path, name: str, class_file: Path | None, row_file: Path | None, root: Path
) -> tuple[Path, Manifest]:
    """Publish a file as the next version of ``name``; returns its folder and manifest.

    Its golden outputs are what it computes now for some of the rows, or for random inputs.

    Args:
        file: an ONNX, Keras or pickled model.
        name: of the published model.
        class_file: names of the classes, one per line.
        row_file: rows for it; only ONNX models can do without.
        root: the model repository.

    Raises:
        CommandError: the server could not load the model, it does not predict what it did before,
            or it can't be published.

    """
    rows = rows_file.read(row_file) if row_file else None
    converted = _converted(file, rows)
    model = converted.model
    graph_check.check(model.SerializeToString())
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = publish.specs([tensor for tensor in model.graph.input if tensor.name not in constants])
    outputs = publish.specs(model.graph.output)
    golden = (
        golden_inputs.of_rows(model, inputs, rows)
        if rows
        else golden_inputs.random_inputs(model, inputs)
    )
    manifest = Manifest(
        name=name,
        version=0,  # the store numbers it
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={},
        inputs=inputs,
        outputs=outputs,
        labels=_class_names(class_file, outputs) or converted.class_names,
        task=converted.task,
        features=_features(rows, inputs),
        parity=converted.parity,
        golden_tolerance=_tolerance(model, golden),
        us_per_row=_us_per_row(model, golden, inputs),
        opset=publish.opset(model),
        ir_version=model.ir_version,
        tools=converted.tools,
    )
    try:
        return publish.write(root, manifest, model.SerializeToString(), golden, {})
    except BundleError as error:
        raise ExportError(str(error)) from None
    except OSError as error:
        raise ExportError(f"{root}: cannot publish: {error.strerror}") from None


def _converted(file: Path, rows: Rows | None) -> Converted:
    convert = _CONVERT.get(file.suffix)
    if convert is None:
        return onnx_file.load(file)
    if not file.is_file():
        raise ExportError(f"{file}: no such file")
    if rows is None:
        raise ExportError(
            f"{file}: needs --rows: a model that is converted is checked against its own"
            " predictions for them"
        )
    return convert(file, rows)


def _features(rows: Rows | None, inputs: Sequence[TensorSpec]) -> tuple[Feature, ...]:
    """The columns of the rows, if they are those of the model's only input."""
    return rows.features if rows and [spec.dtype for spec in inputs] == ["float32"] else ()


def _tolerance(model: onnx.ModelProto, golden: Golden) -> float:
    """How far another CPU may be from golden outputs that are not probabilities."""
    integers = any(
        "Integer" in node.op_type or "Quantize" in node.op_type for node in model.graph.node
    )
    largest = max(float(np.abs(values).max(initial=1)) for values in golden.outputs.values())
    return (quantize.INT8_TOLERANCE if integers else TOLERANCE) * largest


def _us_per_row(
    model: onnx.ModelProto, golden: Golden, inputs: Sequence[TensorSpec]
) -> dict[str, float]:
    fixed = [spec.shape[0] for spec in inputs if spec.shape[0] != BATCH]
    sizes = fixed[:1] or list(timing.BATCHES)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        onnx.save(model, file)
        (speed,) = child_process.fresh(timing.us_per_row, [file], golden.inputs, sizes)
    return dict(speed)


def _class_names(file: Path | None, outputs: Sequence[TensorSpec]) -> tuple[str, ...]:
    if file is None:
        return ()
    names = class_names.read(file)
    sizes = [spec.shape[-1] for spec in outputs if len(spec.shape) > 1]
    if len(names) not in sizes:
        raise ExportError(
            f"{file} has {len(names)} class names; the model's outputs have"
            f" {' and '.join(map(str, sizes)) or 'no'} values per row"
        )
    return names
