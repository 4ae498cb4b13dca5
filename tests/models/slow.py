"""``python -m tests.models.slow FOLDER``: a model whose run takes a few tenths of a second.

It takes so long whatever the batch, and answers each row by itself. Written with onnx, which the
serving environment lacks; its tests find the model made.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE, STEPS = 1024, 8


def build() -> onnx.ModelProto:
    """Softmax of a matrix times the image, and a long multiplication that changes nothing."""
    weights = np.random.default_rng(0).normal(0, 0.01, (784, 10)).astype(np.float32)
    constants = {
        "weights": weights,
        "shape": np.array([SIZE, SIZE], np.int64),
        "zero": np.zeros(1, np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=1),
        helper.make_node("Expand", ["mean", "shape"], ["step0"]),
    ]
    for step in range(STEPS):
        nodes.append(helper.make_node("MatMul", [f"step{step}"] * 2, [f"product{step}"]))
        nodes.append(helper.make_node("Sigmoid", [f"product{step}"], [f"step{step + 1}"]))
    nodes += [
        helper.make_node("ReduceMax", [f"step{STEPS}"], ["largest"], keepdims=1),
        helper.make_node("Mul", ["largest", "zero"], ["nothing"]),
        helper.make_node("MatMul", ["image", "weights"], ["scores"]),
        helper.make_node("Add", ["scores", "nothing"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["probabilities"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 784])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    version = Path(sys.argv[1]) / "slow/1"
    version.mkdir(parents=True)
    (version / "model.onnx").write_bytes(build().SerializeToString())
