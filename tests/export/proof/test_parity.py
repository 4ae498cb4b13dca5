import dataclasses

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


def test_values_of_a_regression() -> None:
    expected, got = [np.array([[100.0], [300.0]], "f4")], [np.array([[100.5], [300.0]], "f4")]
    found = parity.difference(expected, got, classifies=False)
    assert (found.max_abs_difference, found.top1_agreement) == (0.5, None)
    whole = parity.combine({"all": found}, 2)
    assert whole.top1_agreement is None
    assert parity.scale(100, 300) == 130
    assert parity.mismatch(dataclasses.replace(whole, scale=50_000)) is None
    assert parity.mismatch(dataclasses.replace(whole, scale=49_999)) == (
        "largest difference 5.00e-01, at most 5e-01"
    )


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
