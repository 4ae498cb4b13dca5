"""Publish an ONNX model that does not come from a training run."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx

from bundle.errors import BundleError
from bundle.golden import TOLERANCE, Golden
from bundle.manifest import BATCH, Manifest, TensorSpec
from cli import class_names
from export import child_process
from export.errors import ExportError
from export.graph import graph_check, quantize
from export.proof import runtime, timing
from export.publishing import publish

_ROWS = 8  # batch size of golden inputs, unless the graph fixes it
_SIZE = 3  # of other dimensions without a size
_SEED = 0
_PACKAGES = ("onnx", "onnxruntime", "numpy")


def import_model(
    file: Path, name: str, class_file: Path | None, root: Path
) -> tuple[Path, Manifest]:
    """Publish an ONNX file as the next version of ``name``; returns its folder and manifest.

    Its golden outputs are what it computes now for random inputs.

    Args:
        file: the ONNX model.
        name: of the published model.
        class_file: names of the classes, one per line.
        root: the model repository.

    Raises:
        CommandError: the server could not load the model, or it can't be published.

    """
    model = _load(file)
    graph_check.check(model.SerializeToString())
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = publish.specs([tensor for tensor in model.graph.input if tensor.name not in constants])
    outputs = publish.specs(model.graph.output)
    golden = _golden(model, inputs)
    tolerance = _tolerance(model, golden)
    manifest = Manifest(
        name=name,
        version=0,  # the store numbers it
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={},
        inputs=inputs,
        outputs=outputs,
        labels=_class_names(class_file, outputs),
        golden_tolerance=tolerance,
        us_per_row=_us_per_row(file, golden, inputs),
        opset=publish.opset(model),
        ir_version=model.ir_version,
        tools={package: metadata.version(package) for package in _PACKAGES},
    )
    try:
        return publish.write(root, manifest, model.SerializeToString(), golden)
    except BundleError as error:
        raise ExportError(str(error)) from None
    except OSError as error:
        raise ExportError(f"{root}: cannot publish: {error.strerror}") from None


def _load(file: Path) -> onnx.ModelProto:
    """Load the model, with its weights if they are in files of their own."""
    try:
        return onnx.load(file)
    except OSError as error:
        raise ExportError(f"{file}: {error.strerror}") from None
    except Exception as error:  # protobuf's DecodeError, and the checker's own
        raise ExportError(f"{file}: not an ONNX model: {error}") from None


def _golden(model: onnx.ModelProto, inputs: Sequence[TensorSpec]) -> Golden:
    random = np.random.default_rng(_SEED)
    rows = {spec.name: _random(random, spec) for spec in inputs}
    run = runtime.session(model.SerializeToString())
    try:
        results = run(rows)
    except Exception as error:  # onnxruntime has no common class for what it raises
        raise ExportError(f"it does not run on random inputs: {error}") from None
    outputs = dict(zip((output.name for output in model.graph.output), results, strict=True))
    for name, values in outputs.items():
        if not np.isfinite(values.astype(np.float64)).all():
            raise ExportError(f"its output {name} is not finite for random inputs")
    return Golden(rows, outputs)


def _tolerance(model: onnx.ModelProto, golden: Golden) -> float:
    """How far another CPU may be from golden outputs that are not probabilities."""
    integers = any(
        "Integer" in node.op_type or "Quantize" in node.op_type for node in model.graph.node
    )
    largest = max(float(np.abs(values).max(initial=1)) for values in golden.outputs.values())
    return (quantize.INT8_TOLERANCE if integers else TOLERANCE) * largest


def _random(random: np.random.Generator, spec: TensorSpec) -> runtime.Array:
    """A random batch for one input: numbers from 0 to 1, or the integers 0 and 1."""
    rows, *others = spec.shape
    shape = (_ROWS if rows == BATCH else rows, *(_SIZE if n == BATCH else n for n in others))
    kind = np.dtype(spec.dtype)
    values = random.uniform(0, 1, shape) if kind.kind == "f" else random.integers(0, 2, shape)
    return values.astype(kind)


def _us_per_row(file: Path, golden: Golden, inputs: Sequence[TensorSpec]) -> dict[str, float]:
    fixed = [spec.shape[0] for spec in inputs if spec.shape[0] != BATCH]
    sizes = fixed[:1] or list(timing.BATCHES)
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
