"""wrk: what it counts, and its latencies without its correction."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.load import prepared_request, wrk
from benchmarks.load.golden_rows import GoldenModel


def corrected(latencies: Counter[int], interval: int) -> dict[int, int]:
    """What wrk makes of them: ``stats_correct`` in its stats.c, line by line."""
    data = Counter(latencies)
    for latency in range(2 * interval, max(latencies) + 1):
        made_up = latency - interval
        while data[latency] and made_up > interval:
            data[made_up] += data[latency]
            made_up -= interval
    return +data


def test_the_correction_is_undone() -> None:
    random = np.random.default_rng(3)
    latencies = Counter(random.exponential(300, 2000).astype(int).tolist())
    with_made_up = corrected(latencies, 250)
    assert sum(with_made_up.values()) > 2500
    assert wrk.uncorrected(with_made_up, 250) == latencies


def test_answers_and_errors_are_counted(host: str, golden: GoldenModel) -> None:
    request = prepared_request.prepare("predict", golden.model, golden.rows, 2).request
    good = wrk.run(host + request.path, request.body, connections=2, seconds=1)
    assert (good.errors, good.failed) == (0, 0)
    # Each answer is one latency, and none is made up.
    assert good.latencies.get_total_count() == good.requests > 10
    assert good.accepted_rate == pytest.approx(good.requests / good.seconds)
    assert 0 < good.generator_share < 1
    bad = wrk.run(host + request.path, b"not JSON", connections=2, seconds=1)
    assert bad.errors == bad.refused == bad.requests > 10
    assert bad.accepted_rate == 0


@pytest.mark.parametrize(("share", "saturated"), [(0.5, False), (0.95, True)])
def test_wrk_without_cpu_is_reported(share: float, saturated: bool) -> None:
    load = wrk.Load(100, 1.0, 0, 0, share, None)
    assert load.saturated == saturated
