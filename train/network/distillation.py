"""The loss of distillation: training on the probabilities of other models, the teachers.

See Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015).
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Tensor = Any  # TensorFlow publishes no types


def loss(temperature: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross-entropy of probabilities at a temperature, scaled so that gradients keep their size."""

    def softened(probabilities: Tensor) -> Tensor:
        return tf.math.log(probabilities + 1e-12) / temperature

    def of(teachers: Tensor, students: Tensor) -> Tensor:
        return temperature**2 * tf.nn.softmax_cross_entropy_with_logits(
            tf.nn.softmax(softened(teachers)), softened(students)
        )

    return of
