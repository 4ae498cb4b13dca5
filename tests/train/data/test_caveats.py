import dataclasses

import numpy as np

from tests.train.training import made
from train.data import caveats

X = np.array([[1, 0, 1, 0], [2, 1, 0, 1], [3, 2, 1, 2]], np.float32)


def test_a_clean_test_set_has_none() -> None:
    dataset = dataclasses.replace(made.of_table(), x_train=X[:2], x_test=X[2:])
    assert caveats.find(dataset) == []


def test_rows_that_training_has_are_counted() -> None:
    dataset = dataclasses.replace(made.of_table(), x_train=X, x_test=X[1:])
    assert caveats.find(dataset) == ["warning: 2 of 2 test rows are training rows, too"]


def test_rows_that_a_server_refuses_are_counted() -> None:
    test = X + 10
    test[0, 0] = test[1, 3] = np.nan  # the number may be missing, but not the full one
    test[2, 1] = -1  # the city may be unknown
    dataset = dataclasses.replace(made.of_table(), x_train=X, x_test=test)
    (text,) = caveats.find(dataset)
    assert text.startswith("warning: 1 of 3 test rows have a missing value where training rows")
    known = dataclasses.replace(made.CITY, accepts_unknown=False)
    strict = dataclasses.replace(dataset, features=(made.NUMBER, known, made.FLAG, made.FULL))
    assert caveats.find(strict)[0].startswith("warning: 2 of 3")
