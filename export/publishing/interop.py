"""Files that let other servers load a published version.

- MLflow (``mlflow models serve``, pyfunc): ``MLmodel`` and its requirements, beside the graph.
- MLServer: ``model-settings.json`` beside them, for its MLflow runtime.
- Triton: ``config.pbtxt`` beside the versions, for dynamic batching. Triton reads the tensors from
  the graph. OpenVINO Model Server needs no file.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from mlflow.models import ModelSignature
from mlflow.onnx import save_model
from mlflow.types import Schema
from mlflow.types import TensorSpec as MlflowSpec

from bundle import layout
from bundle.manifest import BATCH, TensorSpec

PIP_REQUIREMENTS = tuple(
    f"{module.__name__}=={module.__version__}" for module in (onnx, onnxruntime, np)
)
TRITON_FILE = "config.pbtxt"
PROVIDERS = ("CPUExecutionProvider",)
_MLSERVER_RUNTIME = "mlserver_mlflow.MLflowRuntime"
_TRITON_LARGEST_BATCH = 1024


def signature(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> ModelSignature:
    """Describe a model's tensors for MLflow."""
    return ModelSignature(_schema(inputs), _schema(outputs))


def _schema(specs: Sequence[TensorSpec]) -> Schema:
    """A single tensor has no name, so that callers need not give one."""
    names = [spec.name for spec in specs] if len(specs) > 1 else [None]
    return Schema(
        [
            MlflowSpec(np.dtype(spec.dtype), spec.shape, name)
            for spec, name in zip(specs, names, strict=True)
        ]
    )


def mlflow_files(model: onnx.ModelProto, model_signature: ModelSignature) -> dict[str, bytes]:
    """Create the files that MLflow needs beside ``model.onnx``."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "saved"
        save_model(
            model,
            saved,
            signature=model_signature,
            pip_requirements=list(PIP_REQUIREMENTS),
            onnx_execution_providers=list(PROVIDERS),
            save_as_external_data=False,
        )
        return {
            path.name: path.read_bytes()
            for path in sorted(saved.iterdir())
            if path.name != layout.MODEL_FILE
        }


def mlserver_files(name: str, version: int) -> dict[str, bytes]:
    """Create the file that ``mlserver start FOLDER`` needs in addition."""
    settings = {
        "name": name,
        "implementation": _MLSERVER_RUNTIME,
        "parameters": {"uri": ".", "version": str(version)},
    }
    return {"model-settings.json": json.dumps(settings, indent=2).encode() + b"\n"}


def triton_config(name: str, tensors: Sequence[TensorSpec]) -> bytes | None:
    """Content of ``TRITON_FILE``; None if a batch size is fixed, so that Triton can't batch."""
    if any(spec.shape[:1] != (BATCH,) for spec in tensors):
        return None
    return (
        f'name: "{name}"\n'
        'backend: "onnxruntime"\n'
        f"max_batch_size: {_TRITON_LARGEST_BATCH}\n"
        "dynamic_batching { }\n"
    ).encode()
