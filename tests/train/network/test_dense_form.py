import keras
import numpy as np

from tests.train.training import made
from train.network import dense_form, dense_network
from train.run_options import Options, of_preset


def build(options: Options) -> keras.Model:
    """Build a network with random weights and random averages."""
    dataset = made.of_images()
    network = dense_network.build(options, dataset, dataset.x_train)
    random = np.random.default_rng(0)
    for variable in network.weights:
        low, high = (0.5, 2) if "variance" in variable.path else (-0.5, 0.5)
        variable.assign(random.uniform(low, high, variable.shape))
    return network


def test_dense_layers_compute_what_convolutions_did() -> None:
    options = of_preset(filters=(3, 2, 2), hidden=(9, 7), batch_norm=True, dropout=0.3)
    network = build(options)
    written = dense_form.write_out(network)
    shapes = [kernel.shape for kernel, _ in written]
    assert shapes == [(784, 14 * 14 * 3), (588, 7 * 7 * 2), (98, 98), (98, 9), (9, 7), (7, 10)]
    rows = made.of_images().x_train
    (*hidden, (kernel, bias)), values = written, rows / 255
    for weights, offset in hidden:
        values = np.maximum(values @ weights + offset, 0)
    expected = np.log(network.predict(rows, verbose=0))
    logits = values @ kernel + bias
    # A softmax does not tell how large the logits are as a whole.
    np.testing.assert_allclose(
        logits - logits.mean(axis=1, keepdims=True),
        expected - expected.mean(axis=1, keepdims=True),
        rtol=1e-3,
        atol=1e-3,
    )


def test_a_convolution_is_a_matrix_in_which_few_weights_recur() -> None:
    (kernel, bias), *_ = dense_form.write_out(build(of_preset(filters=(3,), hidden=(5,))))
    by_place = kernel.reshape(28, 28, 14, 14, 3)
    pixels = by_place[:, :, 7, 7]
    assert np.count_nonzero(pixels[..., 0]) == 25
    np.testing.assert_allclose(np.roll(pixels, 2, axis=0), by_place[:, :, 8, 7], atol=1e-6)
    assert len(np.unique(bias)) == 3
