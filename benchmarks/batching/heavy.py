"""A model whose run takes about 10 ms whatever the batch, up to 16 rows.

Two layers of 7,168 units have 57 million weights, 230 MB. To read them from memory takes those
10 ms; to multiply 16 rows by them instead of one adds little.
"""

import itertools
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks import prepare

LAYERS = (784, 7168, 7168, 10)


def models() -> Path:
    """A repository with it, made once."""
    folder = prepare.FOLDER / "heavy-models"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=prepare.FOLDER) as beside:
            publish(Path(beside, folder.name))
            Path(beside, folder.name).rename(folder)
    return folder


def publish(folder: Path) -> None:
    """Write it to ``folder``/heavy/1, with random weights: only its cost matters."""
    random = np.random.default_rng(0)
    nodes, weights, value = [], [], "image"
    for depth, (wide, narrow) in enumerate(itertools.pairwise(LAYERS)):
        matrix = random.normal(0, wide**-0.5, (wide, narrow)).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"weights{depth}"))
        nodes.append(helper.make_node("MatMul", [value, f"weights{depth}"], [f"sum{depth}"]))
        last = depth == len(LAYERS) - 2
        value = "probabilities" if last else f"hidden{depth}"
        nodes.append(helper.make_node("Softmax" if last else "Relu", [f"sum{depth}"], [value]))
    graph = helper.make_graph(
        nodes,
        "heavy",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", LAYERS[0]])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        weights,
    )
    opset = [helper.make_opsetid("", 13)]
    version = folder / "heavy/1"
    version.mkdir(parents=True)
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), version / "model.onnx")
