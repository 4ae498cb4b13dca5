"""Check that the server can load a graph before it is published."""

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime

from bundle.manifest import DTYPES
from export.errors import ExportError


def check(model: bytes) -> None:
    """Refuse a graph that the server could not load.

    Raises:
        ExportError: onnxruntime has no CPU implementation of an operator or type, or the server
            can't read or write a tensor.

    """
    try:
        graph = onnx.load_from_string(model).graph
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # protobuf's, and the checker's own
        raise ExportError(f"not a valid ONNX model: {_line(error)}") from None
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [tensor for tensor in graph.input if tensor.name not in constants]
    for tensor in (*inputs, *graph.output):
        _check_tensor(tensor)
    _check_batch(inputs)
    try:
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common class for what it raises
        raise ExportError(f"onnxruntime does not run it on a CPU: {_line(error)}") from None


def _check_tensor(tensor: onnx.ValueInfoProto) -> None:
    if not tensor.type.HasField("tensor_type"):
        kind = tensor.type.WhichOneof("value") or "nothing"
        hint = (
            "; with skl2onnx, convert with options={'zipmap': False}"
            if kind == "sequence_type"
            else ""
        )
        raise ExportError(f"{tensor.name} is a {kind.removesuffix('_type')}, not a tensor{hint}")
    element = tensor.type.tensor_type.elem_type
    name = onnx.TensorProto.DataType.Name(element).lower()
    if element != onnx.TensorProto.STRING:
        name = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(element)).name
    if name not in DTYPES:
        raise ExportError(
            f"{tensor.name} is a tensor of {name}; the server supports {', '.join(sorted(DTYPES))}"
        )


def _check_batch(inputs: Sequence[onnx.ValueInfoProto]) -> None:
    """Apply the rules by which the server loads a model."""
    shapes = {tensor.name: tensor.type.tensor_type.shape.dim for tensor in inputs}
    if not shapes:
        raise ExportError("it has no inputs")
    for name, shape in shapes.items():
        if not shape:
            raise ExportError(f"{name} has no dimensions, so no batch")
    fixed = {name: shape[0].dim_value for name, shape in shapes.items() if shape[0].dim_value}
    if len({*fixed.values()}) > 1:
        shown = ", ".join(f"{name} {size}" for name, size in fixed.items())
        raise ExportError(f"its inputs take batches of different sizes: {shown}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
