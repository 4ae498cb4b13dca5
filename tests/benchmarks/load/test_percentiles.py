"""Percentiles and their bounds, against what is known of the distributions that they are from."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from benchmarks.load import percentiles, stats
from benchmarks.load.percentiles import QUANTILES, Percentile
from benchmarks.load.stats import RequestStats


def histogram(milliseconds: Iterable[float]) -> HdrHistogram:
    made = stats.histogram()
    for value in milliseconds:
        made.record_value(round(value * 1000))
    return made


def found(milliseconds: Iterable[float]) -> dict[float, Percentile]:
    latencies = histogram(milliseconds)
    all_of_them = {quantile: percentiles.at(latencies, quantile) for quantile in QUANTILES}
    return {quantile: one for quantile, one in all_of_them.items() if one}


@pytest.mark.parametrize(
    ("quantile", "answers"), [(0.99, 459), (0.999, 4603), (0.5, 7), (0.9, 44), (0.95, 90)]
)
def test_answers_that_a_bound_needs(quantile: float, answers: int) -> None:
    assert percentiles.needed(quantile) == answers


@pytest.mark.parametrize(("answers", "high"), [(661, 9.0), (662, 5.0)])
def test_from_662_answers_on_the_second_largest_bounds_a_p99(answers: int, high: float) -> None:
    p99 = found([1.0] * (answers - 2) + [5.0, 9.0])[0.99]
    assert p99.high == pytest.approx(high, rel=1e-3)


def test_a_percentile_of_too_few_answers_is_left_out() -> None:
    assert list(found([1.0] * 458)) == [0.5, 0.9, 0.95]
    assert list(found([1.0] * 459)) == [0.5, 0.9, 0.95, 0.99]
    assert list(found([1.0] * 4603))[-1] == 0.999
    assert found([1.0] * 6) == {}


def test_percentiles_and_ranks() -> None:
    """Of 1, 2, … 1,000 ms, to HdrHistogram's three digits."""
    made = found(float(number) for number in range(1, 1001))
    half, last = made[0.5], made[0.99]
    assert half.milliseconds == pytest.approx(500, rel=1e-3)
    assert half.count == 1000
    # 2.326 standard deviations of the binomial, 15.8, to either side.
    assert half.low == pytest.approx(463, abs=1.5)
    assert half.high == pytest.approx(538, abs=1.5)
    assert last.milliseconds == pytest.approx(990, rel=1e-3)
    assert (last.low, last.high) == (pytest.approx(982, abs=1.5), pytest.approx(997, abs=1.5))


def test_either_bound_holds_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    true = {quantile: -math.log(1 - quantile) * 10 for quantile in QUANTILES}
    missed = {"low": 0, "high": 0}
    trials = 0
    for _ in range(200):
        for quantile, one in found(random.exponential(10, 600)).items():
            trials += 1
            missed["low"] += one.low > true[quantile] * 1.001
            missed["high"] += one.high < true[quantile] * 0.999
    assert trials == 800
    assert missed["low"] <= 0.02 * trials
    assert missed["high"] <= 0.02 * trials


def test_several_loads_give_a_median_and_a_range() -> None:
    loads = [histogram([value] * 500) for value in (3.0, 1.0, 2.0)]
    spread = percentiles.over_loads(loads, 0.99)
    assert spread
    expected = [pytest.approx(value, rel=1e-3) for value in (2, 1, 3)]
    assert [spread.milliseconds, spread.low, spread.high] == expected
    assert spread.count == 1500
    # 458 answers of one load are too few, however many the others have.
    assert percentiles.over_loads([*loads, histogram([1.0] * 458)], 0.99) is None


def test_the_table_that_locust_prints_at_its_end() -> None:
    one = RequestStats(8)
    for _ in range(459):
        one.add(0.0025, correct=True)
    one.add(0.5, correct=False)
    line = percentiles.table({"predict x 8": one}).splitlines()[-1]
    assert line.startswith("predict x 8: 459 correct, 1 failed  p50 2.50 (2.50 to 2.50)")
    assert "p99 2.50 (2.50 to 500.22)" in line
    assert line.endswith("p99.9 –")
