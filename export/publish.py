"""From an ONNX file and its proof to a version in the model repository."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from bundle import layout, store
from bundle.golden import Golden
from bundle.manifest import BATCH, Dataset, Manifest, Parity, TensorSpec
from export import runtime
from export.source import Source

MEASURES = ("val_", "test_", "train_")  # how the metrics of the kept model begin


def publish(
    source: Source, onnx_file: Path, parity: Parity, tools: dict[str, str], root: Path, name: str
) -> Path:
    """Write the next version of ``name`` below ``root``; returns its folder."""
    graph = onnx.load(onnx_file)
    inputs = _specs(graph.graph.input, source.range)
    outputs = _specs(graph.graph.output)
    rows = golden_rows(source.x_test, source.y_test)
    golden = Golden(
        inputs={inputs[0].name: rows},
        outputs={outputs[0].name: runtime.answers(onnx_file, rows)},
    )
    manifest = Manifest(
        name=name,
        version=0,  # the store numbers it
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files={},
        inputs=inputs,
        outputs=outputs,
        labels=source.labels,
        run_id=source.run_id,
        git_commit=source.git_commit,
        dataset=Dataset(
            name=source.params.get("dataset", ""), sha256=source.params.get("dataset_sha256", "")
        ),
        metrics={key: value for key, value in source.metrics.items() if key.startswith(MEASURES)},
        parity=parity,
        opset=next(entry.version for entry in graph.opset_import if not entry.domain),
        ir_version=graph.ir_version,
        tools=tools,
    )
    files = {layout.MODEL_FILE: onnx_file.read_bytes(), layout.GOLDEN_FILE: golden.to_npz()}
    return store.publish(root, manifest, files)


def golden_rows(x_test: NDArray[np.float32], y_test: NDArray[np.int64]) -> NDArray[np.float32]:
    """The first test row of each class: every output gets its turn."""
    _, first = np.unique(y_test, return_index=True)
    return x_test[np.sort(first)]


def _specs(
    tensors: Iterable[onnx.ValueInfoProto], value_range: tuple[float, float] | None = None
) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(
            name=tensor.name,
            dtype=np.dtype(
                onnx.helper.tensor_dtype_to_np_dtype(tensor.type.tensor_type.elem_type)
            ).name,
            shape=(BATCH, *(d.dim_value for d in tensor.type.tensor_type.shape.dim[1:])),
            range=value_range,
        )
        for tensor in tensors
    )
