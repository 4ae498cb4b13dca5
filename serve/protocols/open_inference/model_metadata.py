"""Metadata of models in the Open Inference Protocol.

Sources: inference_rest.md of the protocol, and Triton's extension_model_configuration.md and
extension_model_repository.md.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from bundle.features import Feature
from bundle.golden import Tensors
from bundle.manifest import BATCH, TEXT, TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols.open_inference.datatypes import DATATYPES

PLATFORM = "onnx_onnxv1"
EXTENSIONS = (
    "binary_tensor_data",
    "model_configuration",
    "model_repository",
    "statistics",
    "provenance",
)
_TYPES = {dtype: f"TYPE_{datatype}" for dtype, datatype in DATATYPES.items()}
_TYPES[TEXT] = "TYPE_STRING"


def metadata(model_spec: ModelSpec, versions: Iterable[int]) -> dict[str, Any]:
    """Metadata of a model, with our own extensions.

    These are ``size_bytes`` of the ONNX file and, from the manifest, the ``range`` of a tensor, the
    ``labels``, the ``task``, the ``features`` of a table, and the ``provenance`` of the version.
    """
    document: dict[str, Any] = {
        "name": model_spec.name,
        "versions": [str(version) for version in versions],
        "platform": PLATFORM,
        "inputs": [_tensor(spec) for spec in model_spec.inputs],
        "outputs": [_tensor(spec) for spec in model_spec.outputs],
        "size_bytes": model_spec.size_bytes,
    }
    if model_spec.labels:
        document["labels"] = model_spec.labels
    if model_spec.manifest and model_spec.manifest.task:
        document["task"] = model_spec.manifest.task
    if model_spec.table:
        document["features"] = [_feature(feature) for feature in model_spec.table.features]
    if model_spec.manifest:
        document["provenance"] = provenance(model_spec)
    return document


def provenance(model_spec: ModelSpec) -> dict[str, Any]:
    """Where a version came from; empty without a manifest."""
    if model_spec.manifest is None:
        return {}
    known = dataclasses.asdict(model_spec.manifest)
    described = ("schema_version", "name", "inputs", "outputs", "labels", "task", "features")
    return {key: value for key, value in known.items() if key not in described and value}


def example(model_spec: ModelSpec, known: Tensors) -> dict[str, Any]:
    """A request for inference that a version can answer.

    Args:
        model_spec: of the version.
        known: inputs that it has answered; if empty, the example is one row of zeros, or one batch
            where its size is fixed.

    """
    inputs = known or {
        spec.name: np.zeros([max(size, 1) for size in spec.shape], spec.dtype)
        for spec in model_spec.inputs
    }
    tensors = [(model_spec.by_name[name], array) for name, array in inputs.items()]
    return {
        "inputs": [
            {**_tensor(spec), "shape": array.shape, "data": array.ravel()}
            for spec, array in tensors
        ]
    }


def config(model_spec: ModelSpec, max_rows: int) -> dict[str, Any]:
    """Configuration of a model, as Triton generates it for the same graph."""
    batched = model_spec.fixed_rows is None
    return {
        "name": model_spec.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "max_batch_size": max_rows if batched else 0,
        "input": [_field(spec, batched) for spec in model_spec.inputs],
        "output": [_field(spec, batched) for spec in model_spec.outputs],
        "default_model_filename": "model.onnx",
    }


def _feature(feature: Feature) -> dict[str, Any]:
    """What the manifest says of a feature, without what does not apply to it."""
    return {key: value for key, value in dataclasses.asdict(feature).items() if value}


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    tensor = {"name": spec.name, "datatype": DATATYPES[spec.dtype], "shape": spec.shape}
    return tensor | {"range": spec.range} if spec.range else tensor


def _field(spec: TensorSpec, batched: bool) -> dict[str, Any]:
    """Without the batch dimension, if there is one, as in Triton."""
    leaves_out = batched and spec.shape[:1] == (BATCH,)
    dims = spec.shape[1:] if leaves_out else spec.shape
    return {"name": spec.name, "data_type": _TYPES[spec.dtype], "dims": dims}
