"""Tests of two models on the same rows."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from tracking import paired_tests


def right(only_first: int, only_second: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows each of two models gets right; both get 50 right, and 50 wrong."""
    both = [True] * 50 + [False] * 50
    first = [*both, *[True] * only_first, *[False] * only_second]
    second = [*both, *[False] * only_first, *[True] * only_second]
    return np.array(first), np.array(second)


@pytest.mark.parametrize(("first", "second"), [(2, 10), (9, 9), (7, 6), (0, 3), (300, 900)])
def test_the_p_value_is_that_of_a_binomial_test(first: int, second: int) -> None:
    expected = binomtest(first, first + second).pvalue
    assert paired_tests.mcnemar(*right(first, second)) == pytest.approx(expected)
    assert paired_tests.mcnemar(*right(second, first)) == pytest.approx(expected)


def test_models_with_the_same_answers_do_not_differ() -> None:
    assert paired_tests.mcnemar(*right(0, 0)) == 1


def test_the_interval_is_that_of_the_mean_difference() -> None:
    """Of the losses of the same rows: what both find hard does not widen it."""
    rng = np.random.default_rng(1)
    hard = rng.exponential(100, 500).astype(np.float32)
    worse = hard + rng.normal(1, 2, 500).astype(np.float32)
    low, high = paired_tests.bootstrap_interval(worse, hard)
    error = 2 / 500**0.5
    middle = float((worse - hard).mean())
    assert (low, high) == pytest.approx((middle - 1.96 * error, middle + 1.96 * error), abs=0.03)
    assert paired_tests.bootstrap_interval(worse, hard) == (low, high)
