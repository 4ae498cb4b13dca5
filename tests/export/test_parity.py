import numpy as np
import pytest

from bundle.manifest import Parity
from export import parity


def proof(difference: float = 1e-7, agreement: float = 1.0) -> Parity:
    return Parity(rows=100, max_abs_difference=difference, top1_agreement=agreement)


def test_equal_enough() -> None:
    assert parity.shortfall(proof(difference=1e-5)) is None


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        (proof(difference=1.1e-5), "largest difference 1.10e-05, allowed 1e-05"),
        (proof(difference=float("nan")), "largest difference nan, allowed 1e-05"),
        (proof(agreement=0.99), "the top class agrees on 99.000% of the rows, required 100 %"),
    ],
)
def test_says_what_falls_short(measured: Parity, message: str) -> None:
    assert parity.shortfall(measured) == message


def test_edge_inputs_reach_the_edges_and_repeat() -> None:
    rows = parity.edge_inputs(784, 0, 255)
    assert (rows.shape, rows.dtype) == ((258, 784), np.float32)
    assert (rows[0] == 0).all()
    assert (rows[1] == 255).all()
    assert rows.min() == 0
    assert rows.max() == 255
    assert len(np.unique(rows[2:], axis=0)) == 256
    np.testing.assert_array_equal(rows, parity.edge_inputs(784, 0, 255))
