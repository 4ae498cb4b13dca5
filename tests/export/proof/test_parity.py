import numpy as np
import pytest

from bundle.measurements import Difference, Parity
from export.proof import parity


def proof(difference: float = 1e-7, agreement: float = 1.0) -> Parity:
    return Parity(rows=100, max_abs_difference=difference, top1_agreement=agreement)


def test_equal_enough() -> None:
    assert parity.mismatch(proof(difference=1e-5)) is None


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        (proof(difference=1.1e-5), "largest difference 1.10e-05, at most 1e-05"),
        (proof(difference=float("nan")), "largest difference nan, at most 1e-05"),
        (proof(agreement=0.99), "the top class agrees on 99.000% of the rows, expected 100 %"),
    ],
)
def test_says_what_falls_short(measured: Parity, message: str) -> None:
    assert parity.mismatch(measured) == message


def test_edge_inputs_reach_the_edges_and_repeat() -> None:
    rows = parity.edge_inputs(784, 0, 255)
    assert (rows.shape, rows.dtype) == ((3 + 784 + 256, 784), np.float32)
    assert (rows[0] == 0).all()
    assert (rows[1] == 255).all()
    assert (rows[2] == 127.5).all()
    np.testing.assert_array_equal(rows[3:787], 255 * np.eye(784))
    assert rows.min() == 0
    assert rows.max() == 255
    assert len(np.unique(rows[787:], axis=0)) == 256
    np.testing.assert_array_equal(rows, parity.edge_inputs(784, 0, 255))


def test_differences_of_answers_and_logits() -> None:
    expected = [np.array([[0.9, 0.1], [0.4, 0.6]], "f4"), np.array([[2, 0], [0, 1]], "f4")]
    got = [np.array([[0.8, 0.2], [0.6, 0.4]], "f4"), np.array([[1, 0], [3, 1]], "f4")]
    found = parity.difference(expected, got)
    assert found.rows == 2
    assert found.max_abs_difference == pytest.approx(0.2)
    assert found.mean_abs_difference == pytest.approx(0.15)
    assert found.max_abs_logit_difference == 3
    assert found.mean_abs_logit_difference == 1
    assert found.top1_agreement == 0.5
    assert parity.difference(expected[:1], got).max_abs_logit_difference is None


def test_over_all_parts() -> None:
    one = Difference(rows=1, max_abs_difference=0.5, mean_abs_difference=0.4, top1_agreement=0)
    other = Difference(rows=3, max_abs_difference=0.2, mean_abs_difference=0.0, top1_agreement=1)
    whole = parity.combine({"one": one, "other": other}, 2)
    assert (whole.rows, whole.parts["one"]) == (2, one)
    assert whole.max_abs_difference == 0.5
    assert whole.mean_abs_difference == pytest.approx(0.1)
    assert whole.top1_agreement == 0.75
    assert whole.max_abs_logit_difference is None


def test_a_difference_that_is_no_number_is_the_largest() -> None:
    parts = {
        str(value): Difference(rows=1, max_abs_difference=value, top1_agreement=1)
        for value in (0.0, float("nan"))
    }
    assert parity.mismatch(parity.combine(parts, 2)) == "largest difference nan, at most 1e-05"
