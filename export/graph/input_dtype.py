"""Graphs that take their input in another type than they compute in."""

import numpy as np
from onnx import ModelProto, helper, numpy_helper


def dtype(model: ModelProto, takes: str) -> ModelProto:
    """The model with its first input of the type ``takes``, cast where the graph begins."""
    source = model.graph.input[0]
    computes = source.type.tensor_type.elem_type
    wanted = helper.np_dtype_to_tensor_dtype(np.dtype(takes))
    if wanted == computes:
        return model
    changed = ModelProto()
    changed.CopyFrom(model)
    graph, cast = changed.graph, f"{source.name}/cast"
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == source.name:
                node.input[place] = cast
    graph.node.insert(0, helper.make_node("Cast", [source.name], [cast], cast, to=computes))
    graph.input[0].type.tensor_type.elem_type = wanted
    return changed


def as_quantized(model: ModelProto) -> ModelProto:
    """The model without its cast, where bytes are cast only to be made the same bytes again.

    That is so where the first step quantizes them with a scale of 1 and from 0 on: pixels that
    were calibrated to be 0 to 255.
    """
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    cast = next((node for node in graph.node if node.op_type == "Cast"), None)
    if cast is None or cast.input[0] != graph.input[0].name:
        return model
    readers = [node for node in graph.node if cast.output[0] in node.input]
    if len(readers) != 1 or readers[0].op_type != "QuantizeLinear":
        return model
    quantize = readers[0]
    scale, zero = (constants[name] for name in quantize.input[1:])
    if (scale != 1).any() or zero.any() or zero.dtype != np.uint8:
        return model
    changed = ModelProto()
    changed.CopyFrom(model)
    kept = [node for node in changed.graph.node if node not in (cast, quantize)]
    for node in kept:
        for place, name in enumerate(node.input):
            if name == quantize.output[0]:
                node.input[place] = graph.input[0].name
    del changed.graph.node[:]
    changed.graph.node.extend(kept)
    return changed
