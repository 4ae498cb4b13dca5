"""The network: layers from raw values to class probabilities, or to a value.

All are dense, unless the options name filters: a teacher of dense networks may have convolutions.
"""

from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from train.data.dataset import Dataset
from train.network import convolutions, distillation, input_stage
from train.run_options import Options

PROBABILITIES, VALUE = "probabilities", "value"
EVALUATION_BATCH = 1000  # batch size outside of training


def build(options: Options, dataset: Dataset, training: NDArray[np.float32]) -> keras.Model:
    """Build the model that ``options`` describe.

    Its input is named ``image`` (raw pixels) or ``features`` (columns as ``bundle/features.py`` has
    them), float32 (N, features). Its output are the ``probabilities`` of classes (N, classes), or
    the ``value`` (N, 1) in units of the target.

    Args:
        options: of the run.
        dataset: to be learned from.
        training: the rows that are trained on, shape (N, features); the model standardizes by them.

    """
    name = "features" if dataset.is_table else "image"
    raw = keras.Input((dataset.x_train.shape[1],), name=name)
    values = input_stage.build(raw, dataset, training)
    hidden = [layer for units in options.hidden for layer in _hidden(units, options)]
    for layer in (*convolutions.build(dataset.shape, options), *hidden):
        values = layer(values)
    if dataset.classes:
        output = layers.Dense(dataset.classes, activation="softmax", name=PROBABILITIES)(values)
    else:
        mean, deviation = float(dataset.y_train.mean()), float(dataset.y_train.std())
        standardized = layers.Dense(1, name="standardized")(values)
        output = layers.Rescaling(deviation, mean, name=VALUE)(standardized)
    return keras.Model(raw, output, name="dense")


def compile_to_train(model: keras.Model, options: Options, dataset: Dataset, steps: int) -> None:
    """Set loss and optimizer for training with this number of steps per epoch.

    The targets are class indices, probabilities if ``options.learns_probabilities``, or values.
    """
    loss: Any = "sparse_categorical_crossentropy"
    if options.teacher:
        loss = distillation.loss(options.temperature)
    elif options.label_smoothing:
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    elif not dataset.classes:
        loss = _standardized_error(float(dataset.y_train.var()))
    model.compile(_optimizer(options, steps), loss, metrics=_metrics(dataset))


def compile_to_evaluate(model: keras.Model, dataset: Dataset) -> None:
    """Set loss and metrics for evaluation; the model is saved with these."""
    # Keras needs an optimizer; this one has no variables that would be saved.
    loss = "sparse_categorical_crossentropy" if dataset.classes else "mean_squared_error"
    model.compile("sgd", loss, metrics=_metrics(dataset))


def _metrics(dataset: Dataset) -> list[Any]:
    if dataset.classes:
        return ["accuracy"]
    return [keras.metrics.RootMeanSquaredError(name="rmse")]


def _standardized_error(variance: float) -> Any:
    """Squared error as a part of the target's variance: learning rates then fit any unit."""

    def of(truth: Any, predicted: Any) -> Any:
        return keras.losses.mean_squared_error(truth, predicted) / variance

    return of


def _hidden(units: int, options: Options) -> list[keras.Layer]:
    penalty = keras.regularizers.L2(options.l2) if options.l2 else None
    block: list[keras.Layer] = [
        # Batch normalization has its own offset, which makes a bias redundant.
        layers.Dense(units, use_bias=not options.batch_norm, kernel_regularizer=penalty)
    ]
    if options.batch_norm:
        block.append(layers.BatchNormalization())
    block.append(layers.ReLU())
    if options.dropout:
        block.append(layers.Dropout(options.dropout))
    return block


def _optimizer(options: Options, steps: int) -> keras.Optimizer:
    rate = _rate(options, steps)
    match options.optimizer:
        case "sgd":
            return keras.optimizers.SGD(rate, momentum=options.momentum)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate, momentum=options.momentum)
        case "adam":
            return keras.optimizers.Adam(rate)
        case "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=options.weight_decay)
            # Biases and scales do not overfit, and zero is not a better value for them.
            optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
            return optimizer
    raise ValueError(options.optimizer)


def _rate(options: Options, steps: int) -> Any:
    """The learning rate, or its schedule over the steps of the run."""
    highest = options.effective_learning_rate
    if options.schedule == "constant":
        return highest
    rising = round(options.warmup * steps)
    falling = max(1, options.epochs * steps - rising)
    if not rising:
        return keras.optimizers.schedules.CosineDecay(highest, falling)
    return keras.optimizers.schedules.CosineDecay(
        0.0, falling, warmup_target=highest, warmup_steps=rising
    )
