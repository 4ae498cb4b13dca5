from typing import Any

import keras
import numpy as np
import pytest

from train.run_options import Options, of_preset
from train.training import dense_network


def layers(network: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]


def test_scales_inside_the_model() -> None:
    network = dense_network.build(of_preset("default", hidden=(3,)), classes=4)
    assert network.input_shape == (None, 784)
    assert network.output_shape == (None, 4)
    white = np.full((1, 784), 255, dtype=np.float32)
    scale, *rest = network.layers
    np.testing.assert_allclose(np.asarray(scale(white)), 1.0)
    hidden, output = rest[0], rest[-1]
    (w, b), (v, c) = hidden.get_weights(), output.get_weights()
    logits = np.maximum(w.sum(axis=0) + b, 0) @ v + c
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(network.predict(white, verbose=0)[0], expected, rtol=1e-4)


def test_builds_what_the_options_say() -> None:
    network = dense_network.build(
        of_preset("default", hidden=(8, 4), dropout=0.2, batch_norm=True, l2=0.01), 10
    )
    block = ["Dense", "BatchNormalization", "ReLU", "Dropout"]
    assert layers(network) == ["Rescaling", *block, *block, "Dense"]
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [8, 4, 10]
    assert [layer.use_bias for layer in dense] == [False, False, True]
    assert dense[0].kernel_regularizer.l2 == pytest.approx(0.01)
    assert dense[-1].kernel_regularizer is None


def test_leaves_out_what_is_not_asked_for() -> None:
    network = dense_network.build(of_preset("default", hidden=(8,), dropout=0), 10)
    assert layers(network) == ["Rescaling", "Dense", "ReLU", "Dense"]
    assert network.layers[1].use_bias


@pytest.mark.parametrize(
    ("chosen", "kind", "rate"),
    [
        (of_preset("default", optimizer="sgd", momentum=0.9), keras.optimizers.SGD, 0.1),
        (of_preset("default", optimizer="rmsprop", momentum=0.5), keras.optimizers.RMSprop, 0.001),
        (of_preset("default", optimizer="adam"), keras.optimizers.Adam, 0.001),
        (of_preset("default", optimizer="adamw", learning_rate=0.02), keras.optimizers.AdamW, 0.02),
    ],
)
def test_compiles_with_the_optimizer(chosen: Options, kind: Any, rate: float) -> None:
    network = dense_network.build(chosen, 10)
    dense_network.compile_to_train(network, chosen, steps=7)
    optimizer = network.optimizer
    assert type(optimizer) is kind
    assert float(optimizer.learning_rate) == pytest.approx(rate)
    if chosen.momentum:
        assert optimizer.momentum == chosen.momentum
