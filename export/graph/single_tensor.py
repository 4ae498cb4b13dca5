"""Graphs with one input and one output, as the server's shortest forms of a request need them."""

from collections.abc import Sequence

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper
from onnx.numpy_helper import from_array

from bundle.features import Feature

INPUT = "features"


def keep_last_output(model: ModelProto) -> ModelProto:
    """Remove all outputs but the last one, and what only they need.

    A classifier of skl2onnx returns its label and then its probabilities, and the label may be a
    text.
    """
    kept = ModelProto()
    kept.CopyFrom(model)
    graph = kept.graph
    del graph.output[:-1]
    needed = {graph.output[0].name}
    nodes: list[NodeProto] = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            nodes.insert(0, node)
            needed.update(node.input)
    constants = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    return kept


def join_inputs(model: ModelProto, features: Sequence[Feature]) -> ModelProto:
    """Replace inputs of shape (N, 1), one per column, by one float32 input (N, features).

    Each input has the name of a feature. One that takes texts gets them from the codes.
    """
    joined = ModelProto()
    joined.CopyFrom(model)
    graph = joined.graph
    places = {feature.name: place for place, feature in enumerate(features)}
    columns = [
        node
        for source in graph.input
        for node in _column(graph, source, places[source.name], features)
    ]
    nodes = [*columns, *graph.node]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    shape: list[str | int | None] = ["batch", len(features)]
    graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape))
    return joined


def _column(
    graph: GraphProto, source: ValueInfoProto, place: int, features: Sequence[Feature]
) -> list[NodeProto]:
    """Nodes that compute a former input."""
    name, texts = source.name, features[place].values
    at = f"{name}/place"
    graph.initializer.append(from_array(np.array([place]), at))
    if source.type.tensor_type.elem_type != TensorProto.STRING:
        return [helper.make_node("Gather", [INPUT, at], [name], name, axis=1)]
    number, code, known = f"{name}/number", f"{name}/code", f"{name}/texts"
    graph.initializer.append(from_array(np.array(texts, object), known))
    return [
        helper.make_node("Gather", [INPUT, at], [number], number, axis=1),
        helper.make_node("Cast", [number], [code], code, to=TensorProto.INT64),
        helper.make_node("Gather", [known, code], [name], name),
    ]
