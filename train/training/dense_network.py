"""The network: dense layers from raw pixels to class probabilities."""

from typing import Any

import keras
from keras import layers

from train.data.datasets import FEATURES
from train.run_options import Options
from train.training import distillation

INPUT_NAME = "image"
OUTPUT_NAME = "probabilities"
EVALUATION_BATCH = 1000  # batch size outside of training


def build(options: Options, classes: int) -> keras.Model:
    """Build the model that ``options`` describe.

    Its input are raw pixels 0..255, float32 (N, 784); its output are probabilities (N, classes).
    The first layer scales pixels to 0..1, so that no client or server has to.
    """
    model = keras.Sequential([keras.Input((FEATURES,), name=INPUT_NAME)], name="dense")
    model.add(layers.Rescaling(1 / 255, name="scale"))
    for units in options.hidden:
        for layer in _hidden(units, options):
            model.add(layer)
    model.add(layers.Dense(classes, activation="softmax", name=OUTPUT_NAME))
    return model


def compile_to_train(model: keras.Model, options: Options, steps: int) -> None:
    """Set loss and optimizer for training with this number of steps per epoch.

    The targets are class indices, or probabilities if ``options.learns_probabilities``.
    """
    loss: Any = "sparse_categorical_crossentropy"
    if options.teacher:
        loss = distillation.loss(options.temperature)
    elif options.label_smoothing:
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=options.label_smoothing)
    model.compile(_optimizer(options, steps), loss, metrics=["accuracy"])


def compile_to_evaluate(model: keras.Model) -> None:
    """Set loss and metrics for evaluation; the model is saved with these."""
    # Keras needs an optimizer; this one has no variables that would be saved.
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])


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
