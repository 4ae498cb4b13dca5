"""A model that does nothing: what is left of an exchange with it is HTTP."""

import shutil
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from benchmarks.load.dialect import Request, compact

NAME = "empty"
REQUEST = Request(f"/v1/models/{NAME}:predict", compact({"instances": [[0]]}))


def publish(folder: Path) -> None:
    """Write it to ``folder``/empty/1: one number in, the same number out."""
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1]) for name in "xy"
    ]
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], NAME, tensors[:1], tensors[1:])
    opset = [helper.make_opsetid("", 13)]
    version = folder / NAME / "1"
    shutil.rmtree(version, ignore_errors=True)
    version.mkdir(parents=True)
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), version / "model.onnx")
