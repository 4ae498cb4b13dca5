"""Augmentation: random small rotations, scalings, shears, shifts and elastic deformations.

All of them are one interpolation: tensor operations compute, for a whole batch, from which position
of the old image each pixel of the new image is taken. The elastic deformations are those of Simard,
Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to Visual Document
Analysis" (2003): random displacements, smoothed by a Gaussian so that neighbours move together.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from train.augmentation_options import AugmentationOptions

SMOOTHING = 4.0  # standard deviation of the Gaussian, in pixels
_SIDE = 28  # of the images for which lengths are given; those for others are in proportion
Tensor = Any  # TensorFlow publishes no types


def augment(
    images: Tensor, seed: Tensor, shape: tuple[int, ...], strength: AugmentationOptions
) -> Tensor:
    """Augment each image of a batch.

    Args:
        images: float32, shape (N, rows · columns).
        seed: two integers; the same seed and images give the same result.
        shape: rows and columns of an image.
        strength: of each change.

    Returns:
        The same shape; values between zero and those of the images.

    """
    rows = tf.shape(images)[0]
    seeds = tf.unstack(tf.random.split(seed, 2), num=2)
    positions = _affine_positions(rows, seeds[0], shape, strength)
    positions += _elastic_displacements(rows, seeds[1], shape, strength.displacement)
    return _interpolate(images, positions, shape)


def _affine_positions(
    rows: Tensor, seed: Tensor, shape: tuple[int, ...], strength: AugmentationOptions
) -> Tensor:
    """Positions that pixels are taken from, shape (N, rows · columns, 2), by an affine map."""
    drawn = tf.unstack(tf.random.stateless_uniform([6, rows], seed, -1.0, 1.0), num=6)
    angle = drawn[0] * math.radians(strength.rotation)
    height, width = 1 + drawn[1] * strength.scale, 1 + drawn[2] * strength.scale
    slant = drawn[3] * strength.shear
    sine, cosine = tf.sin(angle), tf.cos(angle)
    matrix = tf.stack(
        [
            tf.stack([height * cosine, -width * sine], -1),
            tf.stack([height * (sine + slant * cosine), width * (cosine - slant * sine)], -1),
        ],
        1,
    )
    middle = tf.constant([(side - 1) / 2 for side in shape])
    shift = tf.stack([drawn[4], drawn[5]], -1)[:, None] * (strength.shift * _scale(shape))
    return tf.einsum("pj,nij->npi", tf.constant(_grid(shape)) - middle, matrix) + middle + shift


def _elastic_displacements(
    rows: Tensor, seed: Tensor, shape: tuple[int, ...], largest: float
) -> Tensor:
    """Smooth random displacements, shape (N, rows · columns, 2), in pixels."""
    # Squared, because a narrower Gaussian smooths less.
    most = largest * _scale(shape) ** 2
    noise = tf.random.stateless_uniform([rows, 2, *shape], seed, -most, most)
    smooth = [tf.constant(_gaussian(side, SMOOTHING * _scale(shape))) for side in shape]
    bends = tf.matmul(tf.matmul(smooth[0], noise), smooth[1], transpose_b=True)
    return tf.transpose(tf.reshape(bends, [rows, 2, math.prod(shape)]), [0, 2, 1])


def _interpolate(images: Tensor, positions: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Take values at fractional positions, by bilinear interpolation."""
    rows = tf.shape(images)[0]
    square = tf.reshape(images, [rows, *shape])
    # A border of zeros, for positions outside the image.
    pixels = tf.reshape(tf.pad(square, [[0, 0], [1, 1], [1, 1]]), [-1])
    height, width = (side + 2 for side in shape)
    positions = tf.clip_by_value(positions + 1, 0, tf.constant([height, width], tf.float32) - 1.001)
    floor = tf.floor(positions)
    down, right = tf.unstack(positions - floor, axis=-1)
    row, column = tf.unstack(tf.cast(floor, tf.int32), axis=-1)
    first = tf.range(rows)[:, None] * (height * width) + row * width + column

    def at(offset: int) -> Tensor:
        return tf.gather(pixels, first + offset)

    upper = at(0) * (1 - right) + at(1) * right
    lower = at(width) * (1 - right) + at(width + 1) * right
    return upper * (1 - down) + lower * down


def _scale(shape: tuple[int, ...]) -> float:
    return min(shape) / _SIDE


def _grid(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Row and column of each pixel, shape (rows · columns, 2)."""
    return np.indices(shape, dtype=np.float32).reshape(2, -1).T


def _gaussian(side: int, deviation: float) -> np.ndarray[Any, Any]:
    """A matrix that smooths one axis; its rows sum to 1, except near the border."""
    distance = np.arange(side)[:, None] - np.arange(side)
    kernel = np.exp(-(distance**2) / (2 * deviation**2)) / (deviation * math.sqrt(2 * math.pi))
    return kernel.astype(np.float32)
