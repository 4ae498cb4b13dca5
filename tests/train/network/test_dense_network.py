from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.train.training import made
from train.data.dataset import Dataset
from train.network import dense_network, input_stage
from train.run_options import Options, of_preset


def layers(network: keras.Model) -> list[str]:
    return [type(layer).__name__ for layer in network.layers]


def build(options: Options, classes: int = 10) -> keras.Model:
    dataset = made.of_images(classes)
    return dense_network.build(options, dataset, dataset.x_train)


def test_scales_inside_the_model() -> None:
    network = build(of_preset("default", hidden=(3,)), classes=4)
    assert (network.inputs[0].name, network.layers[-1].name) == ("image", "probabilities")
    assert network.input_shape == (None, 784)
    assert network.output_shape == (None, 4)
    white = np.full((1, 784), 255, dtype=np.float32)
    _, scale, *rest = network.layers
    np.testing.assert_allclose(np.asarray(scale(white)), 1.0)
    hidden, output = rest[0], rest[-1]
    (w, b), (v, c) = hidden.get_weights(), output.get_weights()
    logits = np.maximum(w.sum(axis=0) + b, 0) @ v + c
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(network.predict(white, verbose=0)[0], expected, rtol=1e-4)


def test_builds_what_the_options_say() -> None:
    network = build(of_preset("default", hidden=(8, 4), dropout=0.2, batch_norm=True, l2=0.01))
    block = ["Dense", "BatchNormalization", "ReLU", "Dropout"]
    assert layers(network) == ["InputLayer", "Rescaling", *block, *block, "Dense"]
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [8, 4, 10]
    assert [layer.use_bias for layer in dense] == [False, False, True]
    assert dense[0].kernel_regularizer.l2 == pytest.approx(0.01)
    assert dense[-1].kernel_regularizer is None


def test_leaves_out_what_is_not_asked_for() -> None:
    network = build(of_preset("default", hidden=(8,), dropout=0))
    assert layers(network) == ["InputLayer", "Rescaling", "Dense", "ReLU", "Dense"]
    assert network.layers[2].use_bias


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
    network = build(chosen)
    dense_network.compile_to_train(network, chosen, made.of_images(), steps=7)
    optimizer = network.optimizer
    assert type(optimizer) is kind
    assert float(optimizer.learning_rate) == pytest.approx(rate)
    if chosen.momentum:
        assert optimizer.momentum == chosen.momentum


def encoded(dataset: Dataset, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    raw = keras.Input((rows.shape[1],))
    stage = keras.Model(raw, input_stage.build(raw, dataset, dataset.x_train))
    result: NDArray[np.float32] = stage.predict(rows, verbose=0)
    return result


def test_a_table_is_encoded_inside_the_model() -> None:
    dataset = made.of_table()
    nan = np.nan
    rows = np.array([[9, 0, 1, 0.5], [nan, 2, 0, 0], [0, -1, nan, -1], [1, nan, 1, 1]], np.float32)
    got = encoded(dataset, rows)
    known = dataset.x_train.astype(np.float64)
    number = np.where(np.isnan(known[:, 0]), np.nanmedian(known[:, 0]), known[:, 0])
    median = np.nanmedian(known[:, 0])
    scaled = (np.array([9, median, 0, 1]) - number.mean()) / number.std()
    full = (rows[:, 3] - known[:, 3].mean()) / known[:, 3].std()
    np.testing.assert_allclose(got[:, 0], scaled, rtol=1e-4)
    np.testing.assert_allclose(got[:, 1], full, rtol=1e-4)
    assert got[:, 2].tolist() == [0, 1, 0, 0]  # was the number missing?
    assert got[:, 3:6].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert got[:, 6:].tolist() == [[0, 1], [1, 0], [0, 0], [0, 1]]


def test_columns_of_one_kind_need_no_others() -> None:
    values = np.random.default_rng(1).normal(size=(30, 2)).astype("f4")
    numbers = made.of_table(x_train=values, features=(made.FULL, made.FULL))
    assert encoded(numbers, values).mean() == pytest.approx(0, abs=1e-6)
    codes = np.array([[0], [1], [2]], "f4")
    categories = made.of_table(x_train=codes, features=(made.CITY,))
    np.testing.assert_array_equal(encoded(categories, codes), np.eye(3))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of how Keras makes arrays
@pytest.mark.parametrize("dataset", [made.of_table(), made.of_values()], ids=["classes", "values"])
def test_a_model_of_a_table_needs_no_code_of_ours(tmp_path: Path, dataset: Dataset) -> None:
    """It loads in safe mode, and answers the same in onnxruntime, whatever is missing."""
    network = dense_network.build(of_preset("small", hidden=(8,)), dataset, dataset.x_train)
    dense_network.compile_to_evaluate(network, dataset)
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.inputs[0].name == "features"
    assert loaded.layers[-1].name == ("probabilities" if dataset.classes else "value")
    expected = network.predict(dataset.x_train, verbose=0)
    np.testing.assert_array_equal(loaded.predict(dataset.x_train, verbose=0), expected)
    got = in_onnxruntime(loaded, dataset.x_train)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def in_onnxruntime(network: keras.Model, x: NDArray[np.float32]) -> NDArray[np.float32]:
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    scale = network.get_layer("scale")  # whose tensors would become inputs of the graph
    scale.mean, scale.variance = np.asarray(scale.mean), np.asarray(scale.variance)
    signature = [tf.TensorSpec((None, x.shape[1]), tf.float32, name="features")]
    call = tf.function(lambda rows: {"y": network(rows, training=False)}, input_signature=signature)
    converted, _ = tf2onnx.convert.from_function(call, input_signature=signature, opset=17)
    session = onnxruntime.InferenceSession(converted.SerializeToString())
    (result,) = session.run(None, {session.get_inputs()[0].name: x})
    assert isinstance(result, np.ndarray)
    return result


def test_values_are_in_units_of_the_target() -> None:
    dataset = made.of_values()
    network = dense_network.build(of_preset("small", hidden=(8,)), dataset, dataset.x_train)
    assert network.output_shape == (None, 1)
    network.get_layer("standardized").set_weights([np.zeros((8, 1)), np.zeros(1)])
    mean, deviation = dataset.y_train.mean(), dataset.y_train.std()
    predicted = network.predict(dataset.x_test, verbose=0)
    np.testing.assert_allclose(predicted, mean, rtol=1e-5)
    dense_network.compile_to_train(network, of_preset("small"), dataset, steps=1)
    trained = network.evaluate(dataset.x_train, dataset.y_train, verbose=0, return_dict=True)
    assert trained == pytest.approx({"loss": 1, "rmse": deviation}, rel=1e-4)
    dense_network.compile_to_evaluate(network, dataset)
    measured = network.evaluate(dataset.x_train, dataset.y_train, verbose=0, return_dict=True)
    assert measured == pytest.approx({"loss": deviation**2, "rmse": deviation}, rel=1e-4)
