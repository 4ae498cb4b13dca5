"""Convolutions before the hidden layers: they see every part of an image with the same weights."""

import keras
from keras import layers

from train.run_options import Options

FIRST_KERNEL, KERNEL = 5, 3  # side in pixels
HALVED = 2  # number of layers that halve the sides of the image


def build(shape: tuple[int, ...], options: Options) -> list[keras.Layer]:
    """Build the layers that ``options.filters`` describe.

    There is no pooling: a step of two pixels halves the sides. So all layers but the ReLU are
    affine, and ``dense_form`` can write them out as matrices.

    Args:
        shape: rows and columns of an image.
        options: of the run.

    Returns:
        Layers from values (N, rows · columns) to values (N, features); none without filters.

    """
    if not options.filters:
        return []
    found: list[keras.Layer] = [layers.Reshape((*shape, 1))]
    for index, filters in enumerate(options.filters):
        convolution = layers.Conv2D(
            filters,
            KERNEL if index else FIRST_KERNEL,
            strides=2 if index < HALVED else 1,
            padding="same",
            use_bias=not options.batch_norm,
        )
        found += [convolution, *([layers.BatchNormalization()] if options.batch_norm else [])]
        found.append(layers.ReLU())
    return [*found, layers.Flatten()]
