"""Percentiles and their bounds, against what is known of the distributions that they are from."""

import math

import numpy as np
import pytest

from benchmarks.load import percentiles, stats
from benchmarks.load.percentiles import Percentile
from benchmarks.load.stats import Tally


def measured(milliseconds: "list[float]") -> list[Percentile]:
    kept = stats.histogram()
    for value in milliseconds:
        kept.record_value(round(value * 1000))
    return percentiles.of(kept)


@pytest.mark.parametrize(
    ("quantile", "answers"), [(0.99, 459), (0.999, 4603), (0.5, 7), (0.9, 44), (0.95, 90)]
)
def test_answers_that_a_bound_needs(quantile: float, answers: int) -> None:
    assert percentiles.needed(quantile) == answers


@pytest.mark.parametrize(("answers", "high"), [(661, 9.0), (662, 5.0)])
def test_from_how_many_answers_on_the_second_largest_bounds_a_p99(
    answers: int, high: float
) -> None:
    p99 = measured([1.0] * (answers - 2) + [5.0, 9.0])[3]
    assert p99.high == pytest.approx(high, rel=1e-3)


def test_a_percentile_is_left_out_where_answers_are_too_few() -> None:
    assert [one.name for one in measured([1.0] * 458)] == ["p50", "p90", "p95"]
    assert [one.name for one in measured([1.0] * 459)] == ["p50", "p90", "p95", "p99"]
    assert [one.name for one in measured([1.0] * 4603)][-1] == "p99.9"
    assert measured([1.0] * 6) == []


def test_percentiles_and_ranks() -> None:
    """Of 1, 2, … 1,000 ms, to HdrHistogram's three digits."""
    half, _, _, last = measured([float(number) for number in range(1, 1001)])
    assert half.milliseconds == pytest.approx(500, rel=1e-3)
    assert half.count == 1000
    # 2.326 standard deviations of the binomial, 15.8, to either side.
    assert half.low == pytest.approx(463, abs=1.5)
    assert half.high == pytest.approx(538, abs=1.5)
    assert last.milliseconds == pytest.approx(990, rel=1e-3)
    assert (last.low, last.high) == (pytest.approx(982, abs=1.5), pytest.approx(997, abs=1.5))


def test_either_bound_holds_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    true = {quantile: -math.log(1 - quantile) * 10 for quantile in percentiles.QUANTILES}
    missed = {"low": 0, "high": 0}
    trials = 0
    for _ in range(400):
        for one in measured(random.exponential(10, 600).tolist()):
            trials += 1
            missed["low"] += one.low > true[one.quantile] * 1.001
            missed["high"] += one.high < true[one.quantile] * 0.999
    assert trials == 1600
    assert missed["low"] <= 0.02 * trials
    assert missed["high"] <= 0.02 * trials


def test_what_locust_prints_at_its_end() -> None:
    kept = Tally(8)
    for _ in range(459):
        kept.add(0.0025, right=True)
    kept.add(0.5, right=False)
    line = percentiles.text({"predict x 8": kept}).splitlines()[-1]
    assert line.startswith("predict x 8: 459 right, 1 failed  p50 2.50 (2.50 to 2.50)")
    assert "p99 2.50 (2.50 to 500.22)" in line
    assert line.endswith("p99.9 –")
