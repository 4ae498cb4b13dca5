"""Graphs whose input has another type than the one they compute in."""

import numpy as np
from onnx import ModelProto, helper, numpy_helper


def with_input_dtype(model: ModelProto, dtype: str) -> ModelProto:
    """Give the first input another dtype, and cast it back at the beginning of the graph."""
    source = model.graph.input[0]
    computes = source.type.tensor_type.elem_type
    wanted = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    if wanted == computes:
        return model
    changed = ModelProto()
    changed.CopyFrom(model)
    graph, cast = changed.graph, f"{source.name}/cast"
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == source.name:
                node.input[index] = cast
    graph.node.insert(0, helper.make_node("Cast", [source.name], [cast], cast, to=computes))
    graph.input[0].type.tensor_type.elem_type = wanted
    return changed


def without_redundant_cast(model: ModelProto) -> ModelProto:
    """Remove the cast of bytes that the next node turns into the same bytes again.

    That is the case if it quantizes them with scale 1 and zero point 0: pixels that were calibrated
    to range from 0 to 255.
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
        for index, name in enumerate(node.input):
            if name == quantize.output[0]:
                node.input[index] = graph.input[0].name
    del changed.graph.node[:]
    changed.graph.node.extend(kept)
    return changed
