"""Model status and metadata as in TensorFlow Serving's REST API, whose paths KServe V1 shares."""

from collections.abc import Iterable, Mapping
from typing import Any

from bundle.manifest import DTYPES, TEXT, TensorSpec
from serve.models.spec import ModelSpec
from serve.protocols.tfserving import SIGNATURE_NAME

# From TensorFlow's types.proto.
_DTYPES = {
    "bool": "DT_BOOL",
    "float16": "DT_HALF",
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    TEXT: "DT_STRING",
} | {name: f"DT_{name.upper()}" for name in DTYPES if "int" in name}
_METADATA = "type.googleapis.com/tensorflow.serving.SignatureDefMap"


def status(name: str, ready: Iterable[int], failed: Mapping[int, str]) -> dict[str, Any]:
    """The state of all versions, newest first, and ``ready`` as in KServe.

    Args:
        name: of the model.
        ready: versions that are served.
        failed: versions that are not served, with the reasons.

    """
    states = [_state(version, "AVAILABLE", "OK", "") for version in ready]
    states += [_state(version, "END", "UNKNOWN", reason) for version, reason in failed.items()]
    states.sort(key=lambda state: -int(state["version"]))
    available = any(state["state"] == "AVAILABLE" for state in states)
    return {"name": name, "ready": available, "model_version_status": states}


def metadata(model_spec: ModelSpec) -> dict[str, Any]:
    """The tensors of a version, as the signature of a SavedModel."""
    defined = {
        "inputs": {spec.name: _tensor(spec) for spec in model_spec.inputs},
        "outputs": {spec.name: _tensor(spec) for spec in model_spec.outputs},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {
            "name": model_spec.name,
            "signature_name": "",
            "version": str(model_spec.version),
        },
        "metadata": {
            "signature_def": {"@type": _METADATA, "signature_def": {SIGNATURE_NAME: defined}}
        },
    }


def _state(version: int, state: str, code: str, message: str) -> dict[str, Any]:
    return {
        "version": str(version),
        "state": state,
        "status": {"error_code": code, "error_message": message},
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    dim = [{"size": str(size), "name": ""} for size in spec.shape]
    return {
        "dtype": _DTYPES[spec.dtype],
        "tensor_shape": {"dim": dim, "unknown_rank": False},
        "name": f"{spec.name}:0",
    }
