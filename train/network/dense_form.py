"""A network written out as dense layers: a convolution is a matrix in which weights recur.

Dense layers that begin as a convolution and are then trained freely can become better than it: see
d'Ascoli and others, "Finding the Needle in the Haystack with Convolutions" (2019).
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

_ROWS = 256  # computed at a time: all at once would take gigabytes
Affine = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Kernel (inputs, units) and bias (units,) of a dense layer."""


def write_out(network: keras.Model) -> list[Affine]:
    """Write out each stage between two ReLUs as one dense layer.

    Args:
        network: of ``dense_network.build``, for images.

    Returns:
        Dense layers, from the scaled pixels to the output without its softmax.

    """
    found: list[Affine] = []
    stage: list[keras.Layer] = []
    shape = network.input_shape[1:]
    *inner, output = network.layers[2:]  # after the input and its scale
    for layer in inner:
        if isinstance(layer, layers.ReLU):
            found.append(_affine(stage, shape))
            shape, stage = layer.output.shape[1:], []
        elif not isinstance(layer, layers.Dropout):
            stage.append(layer)
    kernel, bias = output.get_weights()
    return [*found, (kernel, bias)]


def _affine(stage: list[keras.Layer], shape: tuple[int, ...]) -> Affine:
    """Kernel and bias of layers that are affine: f(0), and f of each unit vector less f(0)."""
    offset = _apply(stage, np.zeros((1, *shape), np.float32))
    unit_vectors = np.eye(int(np.prod(shape)), dtype=np.float32)
    parts = [
        _apply(stage, unit_vectors[row : row + _ROWS].reshape(-1, *shape)) - offset
        for row in range(0, len(unit_vectors), _ROWS)
    ]
    return np.concatenate(parts), offset[0]


def _apply(stage: list[Callable[[Any], Any]], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    values: Any = rows
    for layer in stage:
        values = layer(values)
    return np.asarray(values).reshape(len(rows), -1)
