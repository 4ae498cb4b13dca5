"""Publish an ONNX file as a version in the model repository."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx

from bundle import layout, reference, writer
from bundle.golden import Golden
from bundle.manifest import BATCH, Dataset, Manifest, TensorSpec
from export.proof import row_results, runtime
from export.publishing import interop
from export.publishing.golden_rows import golden_rows
from export.publishing.prepare import PreparedModel
from export.source_run import SourceRun

# Of the metrics of the run that the manifest repeats. Those of the test set are measured here.
_METRIC_PREFIXES = ("val_", "train_")


def publish(
    source: SourceRun, prepared: PreparedModel, root: Path, name: str
) -> tuple[Path, Manifest]:
    """Write the next version of ``name`` below ``root``; returns its folder and its manifest."""
    graph = onnx.load(prepared.onnx_file)
    inputs = specs(graph.graph.input, source.range)
    outputs = specs(graph.graph.output)
    chosen = golden_rows(source.x_test, source.y_test, source.task, source.features)
    rows = {inputs[0].name: chosen.astype(inputs[0].dtype)}
    answers = runtime.predict(prepared.onnx_file, rows)
    golden = Golden(rows, {outputs[0].name: answers[0]})
    test = source.x_test.astype(inputs[0].dtype)
    scores = runtime.predict(prepared.onnx_file, {inputs[0].name: test})[0]
    metrics = {
        key: value for key, value in source.metrics.items() if key.startswith(_METRIC_PREFIXES)
    }
    manifest = Manifest(
        name=name,
        version=0,  # the store numbers it
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={},
        inputs=inputs,
        outputs=outputs,
        labels=source.class_names,
        task=source.task,
        features=source.features,
        run_id=source.run_id,
        git_commit=source.git_commit,
        dataset=Dataset(
            name=source.params.get("dataset", ""), sha256=source.params.get("dataset_sha256", "")
        ),
        metrics=metrics | dict(prepared.measured.metrics),
        parity=prepared.parity,
        quantization=prepared.quantization,
        reference=reference.of(test, scores, source.features, source.range),
        us_per_row=prepared.measured.us_per_row,
        golden_tolerance=prepared.golden_tolerance,
        opset=opset(graph),
        ir_version=graph.ir_version,
        tools=prepared.tools,
    )
    results = {row_results.FILE: row_results.to_npz(source.task, source.y_test, scores)}
    return write(root, manifest, prepared.onnx_file.read_bytes(), golden, results)


def write(
    root: Path, manifest: Manifest, model: bytes, golden: Golden, more: Mapping[str, bytes]
) -> tuple[Path, Manifest]:
    """Publish a model, the files for other servers, and ``more`` files.

    Returns:
        Its folder and its manifest.

    """
    signature = interop.signature(manifest.inputs, manifest.outputs)
    files = {
        layout.MODEL_FILE: model,
        layout.GOLDEN_FILE: golden.to_npz(),
        **interop.mlflow_files(onnx.load_from_string(model), signature),
        **more,
    }
    name = manifest.name
    if config := interop.triton_config(name, manifest.inputs + manifest.outputs):
        writer.write_if_absent(root, name, interop.TRITON_FILE, config)
    folder = writer.publish(
        root, manifest, files, lambda version: interop.mlserver_files(name, version)
    )
    return folder, Manifest.from_json((folder / layout.MANIFEST_FILE).read_bytes())


def opset(graph: onnx.ModelProto) -> int | None:
    """Version of ONNX's own operators, if the graph uses any."""
    own = (entry for entry in graph.opset_import if entry.domain in ("", "ai.onnx"))
    return next((int(entry.version) for entry in own), None)


def specs(
    tensors: Iterable[onnx.ValueInfoProto], value_range: tuple[float, float] | None = None
) -> tuple[TensorSpec, ...]:
    """Describe the inputs or outputs of a graph; a dimension without a size is a batch."""
    return tuple(
        TensorSpec(
            name=tensor.name,
            dtype=np.dtype(
                onnx.helper.tensor_dtype_to_np_dtype(tensor.type.tensor_type.elem_type)
            ).name,
            shape=tuple(size.dim_value or BATCH for size in tensor.type.tensor_type.shape.dim),
            range=value_range,
        )
        for tensor in tensors
    )
