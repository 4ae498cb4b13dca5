"""Training batches: in another order and, where wanted, of other images in every epoch.

What an epoch holds depends on the seed and its number alone, so that a run that goes on after a
kill sees what it would have seen.
"""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray

from train.data.augment import augment
from train.run_options import Options

Tensor = Any  # TensorFlow publishes no types


def steps(rows: int, options: Options) -> int:
    """Batches in an epoch; the last may be a shorter one."""
    return math.ceil(rows / options.batch_size)


def batches(
    images: NDArray[Any],
    targets: NDArray[Any],
    options: Options,
    first_epoch: int = 0,
    teach: Callable[[Tensor], Tensor] | None = None,
) -> tf.data.Dataset:
    """All batches of all epochs from ``first_epoch`` on, one after the other.

    Args:
        images: float32, shape (N, 784).
        targets: of each image.
        options: of the run.
        first_epoch: counted from 0.
        teach: makes targets of a batch of images, in place of those given.

    """
    pixels, truth = tf.constant(images), tf.constant(targets)
    count = steps(len(images), options)

    def epoch(number: Tensor) -> tf.data.Dataset:
        number = tf.cast(number, tf.int32)
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(images)), seed=tf.stack([options.seed, number])
        )

        def batch(step: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
            rows = tf.gather(pixels, chosen)
            if options.augment:
                place = number * count + tf.cast(step, tf.int32)
                rows = augment(rows, tf.stack([options.seed, place]))
            return rows, teach(rows) if teach else tf.gather(truth, chosen)

        chosen = tf.data.Dataset.from_tensor_slices(order).batch(options.batch_size)
        return chosen.enumerate().map(batch, num_parallel_calls=2)

    numbers = tf.data.Dataset.range(first_epoch, options.epochs)
    return numbers.flat_map(epoch).prefetch(4)
