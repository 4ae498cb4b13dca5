"""Models that are not like an image classifier, as plain ``model.onnx`` files with no manifest.

``python -m tests.models.other FOLDER`` makes them:

- ``two``: x float32 (N, 3) and n int64 (N,) -> sum float32 (N, 3) = x + n, and twice int64 (N,);
- ``fixed``: x float32 (2, 3) -> y = x + 1, in batches of two alone;
- ``open``: x float64 (N, T, 2) -> mean float64 (N, 2) over T;
- ``flags``: x bool (N, 2) -> y bool (N, 2), its negation;
- ``bytes``: x uint8 (N, 4) -> y float16 (N, 4) = x;
- ``scalar``: x float32 (N, 2) -> total float32 (), the sum of the whole batch;
- ``turned``: x float32 (batch, k) -> y float32 (k, batch), its transpose;
- ``text``: x string (N,), which is not served;
- ``outside``: as ``fixed``, but its weight is in another file, this one, which is not read.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

FLOAT, DOUBLE, HALF = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16
INT64, BOOL, UINT8, STRING = (
    TensorProto.INT64,
    TensorProto.BOOL,
    TensorProto.UINT8,
    TensorProto.STRING,
)
Tensor = tuple[str, int, Sequence[int | str]]


def save(
    folder: Path,
    name: str,
    nodes: list[onnx.NodeProto],
    inputs: list[Tensor],
    outputs: list[Tensor],
    constants: Sequence[onnx.TensorProto] = (),
) -> None:
    sides = [
        [helper.make_tensor_value_info(*tensor) for tensor in side] for side in (inputs, outputs)
    ]
    graph = helper.make_graph(nodes, name, *sides, initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path = folder / name / "1/model.onnx"
    path.parent.mkdir(parents=True)
    onnx.save(model, path)


def main(folder: Path) -> None:
    node = helper.make_node
    save(
        folder,
        "two",
        [
            node("Cast", ["n"], ["f"], to=FLOAT),
            node("Unsqueeze", ["f", "one"], ["column"]),
            node("Add", ["x", "column"], ["sum"]),
            node("Add", ["n", "n"], ["twice"]),
        ],
        [("x", FLOAT, ["batch", 3]), ("n", INT64, ["batch"])],
        [("sum", FLOAT, ["batch", 3]), ("twice", INT64, ["batch"])],
        [helper.make_tensor("one", INT64, [1], [1])],
    )
    one = helper.make_tensor("one", FLOAT, [1], [1.0])
    ends = ([("x", FLOAT, [2, 3])], [("y", FLOAT, [2, 3])])
    save(folder, "fixed", [node("Add", ["x", "one"], ["y"])], *ends, [one])
    save(
        folder,
        "open",
        [node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=0)],
        [("x", DOUBLE, ["batch", "time", 2])],
        [("mean", DOUBLE, ["batch", 2])],
    )
    flags = ([("x", BOOL, ["batch", 2])], [("y", BOOL, ["batch", 2])])
    save(folder, "flags", [node("Not", ["x"], ["y"])], *flags)
    narrow = ([("x", UINT8, ["batch", 4])], [("y", HALF, ["batch", 4])])
    save(folder, "bytes", [node("Cast", ["x"], ["y"], to=HALF)], *narrow)
    total = ([("x", FLOAT, ["batch", 2])], [("total", FLOAT, [])])
    save(folder, "scalar", [node("ReduceSum", ["x"], ["total"], keepdims=0)], *total)
    turned = ([("x", FLOAT, ["batch", "k"])], [("y", FLOAT, ["k", "batch"])])
    save(folder, "turned", [node("Transpose", ["x"], ["y"])], *turned)
    text = ([("x", STRING, ["batch"])], [("y", STRING, ["batch"])])
    save(folder, "text", [node("Identity", ["x"], ["y"])], *text)
    save_outside(folder)


def save_outside(folder: Path) -> None:
    """Write a model whose weight lies in a file that is named relative to the project's root."""
    model = onnx.load(folder / "fixed/1/model.onnx")
    (weight,) = model.graph.initializer
    weight.ClearField("float_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "tests/models/other.py", "offset": "0", "length": "4"}.items():
        weight.external_data.add(key=key, value=value)
    path = folder / "outside/1/model.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
