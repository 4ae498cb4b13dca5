"""The network: dense layers between raw pixels and class probabilities."""

import keras
from keras import layers

from train.data import FEATURES
from train.options import Options

INPUT_NAME = "image"
OUTPUT_NAME = "probabilities"
EVALUATION_BATCH = 1000  # rows at a time where nothing is learned


def build(options: Options, classes: int) -> keras.Model:
    """Build and compile the model that ``options`` describe.

    It takes raw pixels 0..255 as float32 (N, 784) and gives probabilities (N, classes). The
    scaling to 0..1 is its first layer, so that no client and no server can do it otherwise.
    """
    model = keras.Sequential([keras.Input((FEATURES,), name=INPUT_NAME)], name="dense")
    model.add(layers.Rescaling(1 / 255, name="scale"))
    for units in options.hidden:
        for layer in _hidden(units, options):
            model.add(layer)
    model.add(layers.Dense(classes, activation="softmax", name=OUTPUT_NAME))
    model.compile(
        optimizer=_optimizer(options),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _hidden(units: int, options: Options) -> list[keras.Layer]:
    penalty = keras.regularizers.L2(options.l2) if options.l2 else None
    block: list[keras.Layer] = [
        # Batch normalization brings its own offset, which makes the bias redundant.
        layers.Dense(units, use_bias=not options.batch_norm, kernel_regularizer=penalty)
    ]
    if options.batch_norm:
        block.append(layers.BatchNormalization())
    block.append(layers.ReLU())
    if options.dropout:
        block.append(layers.Dropout(options.dropout))
    return block


def _optimizer(options: Options) -> keras.Optimizer:
    rate = options.effective_learning_rate
    match options.optimizer:
        case "sgd":
            return keras.optimizers.SGD(rate, momentum=options.momentum)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate, momentum=options.momentum)
        case "adam":
            return keras.optimizers.Adam(rate)
        case "adamw":
            return keras.optimizers.AdamW(rate)
    raise ValueError(options.optimizer)
