"""Logits, the scores before the final softmax of a classifier, from Keras and ONNX models.

Probabilities near 0 and 1 hide differences that the logits show.
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, ValueInfoProto, helper

from export.proof import runtime


def keras_outputs(model: keras.Model, rows: NDArray[Any]) -> list[NDArray[np.float32]]:
    """Return the model's outputs, and its logits if its last layer applies a softmax."""
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    outputs = [_predict(model, rows)]
    if activation is keras.activations.softmax:
        last.activation = keras.activations.linear
        outputs.append(_predict(model, rows))
        last.activation = activation
    return outputs


def _predict(model: keras.Model, rows: NDArray[Any]) -> NDArray[np.float32]:
    parts = np.array_split(rows, -(-len(rows) // runtime.BATCH))
    return np.concatenate([np.asarray(model(part, training=False)) for part in parts])


def with_logits(model: ModelProto) -> ModelProto:
    """Add the logits as a second output if the model ends in a softmax."""
    last = model.graph.node[-1]
    output = model.graph.output[0]
    if last.op_type != "Softmax" or last.output[0] != output.name:
        return model
    both = ModelProto()
    both.CopyFrom(model)
    both.graph.output.append(_named(last.input[0], output))
    return both


def _named(name: str, like: ValueInfoProto) -> ValueInfoProto:
    shape = like.type.tensor_type.shape
    return helper.make_tensor_value_info(
        name,
        like.type.tensor_type.elem_type,
        [size.dim_param or size.dim_value for size in shape.dim],
    )
