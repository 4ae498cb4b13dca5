import dataclasses

import keras
import numpy as np
import pytest

from tests.train.training import made
from train.evaluation import permutation_importance, result_plots
from train.evaluation.permutation_importance import Importance


def test_what_a_network_ignores_has_no_importance() -> None:
    """This one returns the fourth column of the table, and half of the second."""
    table = made.of_values()
    x = np.nan_to_num(table.x_train)
    truth = x[:, 3] + x[:, 1] / 2
    dataset = dataclasses.replace(table, x_train=x, y_train=truth)
    raw = keras.Input((4,))
    output = keras.layers.Dense(1, use_bias=False)
    network = keras.Model(raw, output(raw))
    output.set_weights([np.array([[0], [0.5], [0], [1]])])
    first, second, *rest = permutation_importance.measure(network, dataset, x, truth)
    assert (first.feature, second.feature) == ("full", "city")
    # A shuffled column is off by the difference of two random values.
    assert first.mean == pytest.approx(2**0.5 * x[:, 3].std(), rel=0.1)
    assert 0 < first.deviation < 0.2
    assert [one.mean for one in rest] == [0, 0]


def test_the_plot_has_the_most_important_columns() -> None:
    columns = [Importance(f"c{number}", 1 / (1 + number), 0.1) for number in range(40)]
    (axis,) = result_plots.importance(columns).axes
    assert axis.get_title() == "the first 30 of 40 columns"
    assert [bar.get_width() for bar in axis.patches] == [one.mean for one in columns[:30]]
    assert axis.yaxis_inverted()
