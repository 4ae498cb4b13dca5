"""Affine steps of a graph that follow one another, turned into one ``Gemm``.

Scaling, batch normalization and a dense layer's offset are x * c, x / c, x + c and x - c, a dense
layer is x @ W, and one after the other they are x @ W + b again. The constants of that are worked
out in float64.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

Array = NDArray[Any]
Run = list[NodeProto]
_PRODUCT = "MatMul"
_STEPS = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    _PRODUCT: np.matmul,
}
_COMMUTES = ("Add", "Mul")


def fold(model: ModelProto) -> ModelProto:
    """The same model, each run of affine steps with one product in it as a ``Gemm``.

    A run ends at a tensor that something else reads too.
    """
    shaped = onnx.shape_inference.infer_shapes(model).graph
    widths = {
        tensor.name: [size.dim_value for size in tensor.type.tensor_type.shape.dim]
        for tensor in (*shaped.input, *shaped.value_info)
    }
    folded = ModelProto()
    folded.CopyFrom(model)
    graph = folded.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = list(graph.node)
    for run in _runs(graph, constants):
        source = _variable(run[0], constants)
        weights, offset = _weights_and_offset(run, constants)
        if len(widths.get(source, ())) != 2 or widths[source][1] != len(weights):
            continue  # Gemm takes two dimensions; and the first step may stretch what it reads
        nodes[nodes.index(run[-1])] = _gemm(graph, source, weights, offset, run[-1].output[0])
        nodes = [node for node in nodes if node not in run]
    _keep(graph, nodes)
    return folded


def _runs(graph: GraphProto, constants: Mapping[str, Array]) -> list[Run]:
    """Runs of at least two steps, one of them a product."""
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(tensor.name for tensor in graph.output)
    open_runs: dict[str, Run] = {}  # by the tensor that each ends with
    for node in graph.node:
        if not (source := _variable(node, constants)):
            continue
        run = open_runs.get(source, [])
        if run and (readers[source] > 1 or (_has_product(run) and node.op_type == _PRODUCT)):
            run = []
        elif run:
            del open_runs[source]
        open_runs[node.output[0]] = [*run, node]
    return [run for run in open_runs.values() if len(run) > 1 and _has_product(run)]


def _has_product(run: Run) -> bool:
    return any(node.op_type == _PRODUCT for node in run)


def _variable(node: NodeProto, constants: Mapping[str, Array]) -> str:
    """The input that is no constant, of a node that is an affine step; empty for other nodes."""
    if node.op_type not in _STEPS or node.domain:
        return ""
    first, second = node.input
    if first in constants and second not in constants and node.op_type in _COMMUTES:
        first, second = second, first
    if first in constants or second not in constants:
        return ""
    constant = constants[second]
    suits = constant.ndim == 2 if node.op_type == _PRODUCT else _is_of_features(constant)
    return first if suits else ""


def _is_of_features(constant: Array) -> bool:
    """Is it one value for all, or one for each feature of a row?"""
    return constant.size == constant.shape[-1] if constant.ndim in (1, 2) else constant.ndim == 0


def _weights_and_offset(run: Run, constants: Mapping[str, Array]) -> tuple[Array, Array]:
    """Shapes (features, units) and (units,): what the run does to x is x @ weights + offset."""
    at = next(index for index, node in enumerate(run) if node.op_type == _PRODUCT)
    matrix = _constant(run[at], constants).astype(np.float64)
    features, units = matrix.shape
    zero, none = np.zeros((1, features)), np.zeros((1, units))
    # An affine map is known by what it does to zero and to ones beside it.
    scale = _apply(run[:at], zero + 1, constants) - _apply(run[:at], zero, constants)
    after = run[at + 1 :]
    weights = _apply(after, scale.T * matrix, constants) - _apply(after, none, constants)
    kind = _constant(run[at], constants).dtype
    return weights.astype(kind), _apply(run, zero, constants)[0].astype(kind)


def _apply(run: Sequence[NodeProto], rows: Array, constants: Mapping[str, Array]) -> Array:
    for node in run:
        rows = _STEPS[node.op_type](rows, _constant(node, constants).astype(np.float64))
    return rows


def _constant(node: NodeProto, constants: Mapping[str, Array]) -> Array:
    return next(constants[name] for name in node.input if name in constants)


def _gemm(graph: GraphProto, source: str, weights: Array, offset: Array, output: str) -> NodeProto:
    names = [f"{output}/weights", f"{output}/offset"]
    graph.initializer.extend(map(numpy_helper.from_array, (weights, offset), names))
    return helper.make_node("Gemm", [source, *names], [output], output)


def _keep(graph: GraphProto, nodes: Sequence[NodeProto]) -> None:
    """Leave these nodes in the graph, and the constants that they read."""
    read = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
