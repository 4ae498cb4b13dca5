"""ONNX files that are made to harm; ``python -m tests.models.hostile FOLDER`` makes them.

Each takes x float32 (N, 2) and gives y, as the model of tests/models/swapped.py does, if it can be
loaded at all.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
from onnx import TensorProto, helper

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])
DEPTH = 2000
HUGE = 2**40


def model(nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto]) -> bytes:
    graph = helper.make_graph(nodes, "hostile", [X], [Y], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("evil.example", 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return bytes(made.SerializeToString())


def constant(name: str, dims: list[int], raw: bytes) -> onnx.TensorProto:
    made = TensorProto(name=name, data_type=TensorProto.FLOAT, raw_data=raw)
    made.dims.extend(dims)
    return made


def nested(depth: int) -> bytes:
    """An If in an If, and so on, whose serialization is made by hand: protobuf's own recurses."""

    def field(number: int, payload: bytes) -> bytes:
        length, size = len(payload), b""
        while length > 127:
            size += bytes([length & 127 | 128])
            length >>= 7
        return bytes([number << 3 | 2]) + size + bytes([length]) + payload

    inner = b""
    for _ in range(depth):  # GraphProto.node, NodeProto.attribute, AttributeProto.g
        branch = field(1, b"then_branch") + field(6, inner) + b"\xa0\x01\x05"
        inner = field(1, field(1, b"x") + field(2, b"y") + field(4, b"If") + field(5, branch))
    whole = onnx.ModelProto.FromString(model([helper.make_node("Identity", ["x"], ["y"])], []))
    return whole.SerializeToString() + field(7, inner)


def greedy() -> bytes:
    """A model whose run allocates and fills an array of shape x; x is one row, and so is y."""
    nodes = [
        helper.make_node("Cast", ["x"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["whole", "flat"], ["shape"]),
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceMax", ["zeros"], ["zero"]),
        helper.make_node("Add", ["x", "zero"], ["y"]),
    ]
    flat = TensorProto(name="flat", data_type=TensorProto.INT64, dims=[1], int64_data=[2])
    return model(nodes, [flat])


def files() -> Iterator[tuple[str, bytes]]:
    """Name and content of each."""
    add = helper.make_node("Add", ["x", "number"], ["y"])
    whole = model([add], [constant("number", [1], b"\0\0\x80?")])
    yield "empty", b""
    yield "no protobuf", b"\xff" * 1000
    yield "cut off", whole[: len(whole) // 2]
    yield "custom domain", model([helper.make_node("Run", ["x"], ["y"], domain="evil.example")], [])
    yield "unknown operator", model([helper.make_node("Exec", ["x"], ["y"])], [])
    yield "huge initializer", model([add], [constant("number", [HUGE, HUGE], b"\0\0\x80?")])
    yield "negative initializer", model([add], [constant("number", [-1], b"\0\0\x80?")])
    shape = TensorProto(name="shape", data_type=TensorProto.INT64, dims=[2])
    shape.int64_data.extend([HUGE, 2])
    filled = helper.make_node("ConstantOfShape", ["shape"], ["z"])
    yield "huge result", model([filled, helper.make_node("Add", ["x", "z"], ["y"])], [shape])
    cycle = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    yield "cycle", model([*cycle, helper.make_node("Relu", ["a"], ["y"])], [])
    yield "deep", nested(DEPTH)


if __name__ == "__main__":
    for name, content in files():
        folder = Path(sys.argv[1]) / name
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(content)
