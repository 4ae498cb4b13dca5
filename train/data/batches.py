"""Training batches, shuffled and, if requested, augmented anew in every epoch.

The batches of an epoch depend only on the seed and the epoch's number, so a resumed run sees the
same batches as one without interruption.
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
    """Number of batches per epoch; the last one may be smaller."""
    return math.ceil(rows / options.batch_size)


def batches(
    x: NDArray[Any],
    targets: NDArray[Any],
    options: Options,
    first_epoch: int = 0,
    *,
    shape: tuple[int, ...] = (),
    teachers: Callable[[Tensor], Tensor] | None = None,
) -> tf.data.Dataset:
    """Create the batches of all epochs from ``first_epoch`` on, as one sequence.

    Args:
        x: float32, shape (N, features).
        targets: one per row.
        options: of the run.
        first_epoch: counted from 0.
        shape: rows and columns of an image, if ``x`` are images.
        teachers: compute the targets of a batch, in place of ``targets``.

    """
    values, truth = tf.constant(x), tf.constant(targets)
    count = steps(len(x), options)

    def epoch(number: Tensor) -> tf.data.Dataset:
        number = tf.cast(number, tf.int32)
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(x)), seed=tf.stack([options.seed, number])
        )

        def batch(step: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
            rows = tf.gather(values, chosen)
            if options.augment:
                index = number * count + tf.cast(step, tf.int32)
                rows = augment(rows, tf.stack([options.seed, index]), shape, options)
            return rows, teachers(rows) if teachers else tf.gather(truth, chosen)

        chosen = tf.data.Dataset.from_tensor_slices(order).batch(options.batch_size)
        return chosen.enumerate().map(batch, num_parallel_calls=2)

    numbers = tf.data.Dataset.range(first_epoch, options.epochs)
    return numbers.flat_map(epoch).prefetch(4)
