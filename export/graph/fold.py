"""Fold consecutive affine operations of a graph into one ``Gemm``.

Scaling, batch normalization and the bias of a dense layer are x * c, x / c, x + c and x - c; a
dense layer is x @ W. A chain of them is again x @ W + b, whose constants are computed in float64.

What is added before the product stays outside if it is large. Take years around 2,000 that are
standardized with a spread of 5: x / 5 @ W - 400 @ W loses the digits in which years differ.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

Array = NDArray[Any]
Chain = list[NodeProto]
_MATMUL = "MatMul"
_AFFINE = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    _MATMUL: np.matmul,
}
_COMMUTATIVE = ("Add", "Mul")
_LARGEST_SHIFT = 16  # costs four bits of the 24 of a float32


def fold(model: ModelProto) -> ModelProto:
    """Replace each chain of affine operations that contains one matrix product by a ``Gemm``.

    A chain ends at a tensor that is also read elsewhere.
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
    for whole in _chains(graph, constants):
        chain = _precise(whole, constants)
        if len(chain) < 2:
            continue
        source = _variable(chain[0], constants)
        weights, offset = _weights_and_offset(chain, constants)
        if len(widths.get(source, ())) != 2 or widths[source][1] != len(weights):
            continue  # Gemm takes two dimensions, and the first operation may broadcast its input
        nodes[nodes.index(chain[-1])] = _gemm(graph, source, weights, offset, chain[-1].output[0])
        nodes = [node for node in nodes if node not in chain]
    _reduce(graph, nodes)
    return folded


def _chains(graph: GraphProto, constants: Mapping[str, Array]) -> list[Chain]:
    """Find chains of at least two operations, one of them a matrix product."""
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(tensor.name for tensor in graph.output)
    open_chains: dict[str, Chain] = {}  # by the tensor that each ends in
    for node in graph.node:
        if not (source := _variable(node, constants)):
            continue
        chain = open_chains.get(source, [])
        if chain and (readers[source] > 1 or (_has_matmul(chain) and node.op_type == _MATMUL)):
            chain = []
        elif chain:
            del open_chains[source]
        open_chains[node.output[0]] = [*chain, node]
    return [chain for chain in open_chains.values() if len(chain) > 1 and _has_matmul(chain)]


def _has_matmul(chain: Chain) -> bool:
    return any(node.op_type == _MATMUL for node in chain)


def _variable(node: NodeProto, constants: Mapping[str, Array]) -> str:
    """The non-constant input of an affine operation; empty for all other nodes."""
    if node.op_type not in _AFFINE or node.domain:
        return ""
    first, second = node.input
    if first in constants and second not in constants and node.op_type in _COMMUTATIVE:
        first, second = second, first
    if first in constants or second not in constants:
        return ""
    constant = constants[second]
    fits = constant.ndim == 2 if node.op_type == _MATMUL else _is_of_features(constant)
    return first if fits else ""


def _is_of_features(constant: Array) -> bool:
    """Is it a scalar, or does it have one value per feature?"""
    return constant.size == constant.shape[-1] if constant.ndim in (1, 2) else constant.ndim == 0


def _precise(chain: Chain, constants: Mapping[str, Array]) -> Chain:
    """The part of a chain that can be folded without a loss of digits: all, or from the product."""
    at = _place_of_matmul(chain)
    features = len(_constant(chain[at], constants))
    shift = _apply(chain[:at], np.zeros((1, features)), constants)
    return chain if np.abs(shift).max() <= _LARGEST_SHIFT else chain[at:]


def _place_of_matmul(chain: Chain) -> int:
    return next(index for index, node in enumerate(chain) if node.op_type == _MATMUL)


def _weights_and_offset(chain: Chain, constants: Mapping[str, Array]) -> tuple[Array, Array]:
    """Shapes (features, units) and (units,): the chain computes x @ weights + offset."""
    at = _place_of_matmul(chain)
    matrix = _constant(chain[at], constants).astype(np.float64)
    features, units = matrix.shape
    zero, none = np.zeros((1, features)), np.zeros((1, units))
    # An affine map is determined by its values at zero and at the unit vectors.
    scale = _apply(chain[:at], zero + 1, constants) - _apply(chain[:at], zero, constants)
    after = chain[at + 1 :]
    weights = _apply(after, scale.T * matrix, constants) - _apply(after, none, constants)
    kind = _constant(chain[at], constants).dtype
    return weights.astype(kind), _apply(chain, zero, constants)[0].astype(kind)


def _apply(chain: Sequence[NodeProto], rows: Array, constants: Mapping[str, Array]) -> Array:
    for node in chain:
        rows = _AFFINE[node.op_type](rows, _constant(node, constants).astype(np.float64))
    return rows


def _constant(node: NodeProto, constants: Mapping[str, Array]) -> Array:
    return next(constants[name] for name in node.input if name in constants)


def _gemm(graph: GraphProto, source: str, weights: Array, offset: Array, output: str) -> NodeProto:
    names = [f"{output}/weights", f"{output}/offset"]
    graph.initializer.extend(map(numpy_helper.from_array, (weights, offset), names))
    return helper.make_node("Gemm", [source, *names], [output], output)


def _reduce(graph: GraphProto, nodes: Sequence[NodeProto]) -> None:
    """Reduce the graph to these nodes and the constants that they read."""
    read = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
