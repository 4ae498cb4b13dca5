"""The simulation, held to what queueing theory knows.

M/M/c: Erlang C; M/D/1: Pollaczek and Khinchine. Both are in Gross, Shortle, Thompson and Harris,
Fundamentals of Queueing Theory.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.capacity import queueing, replica_plan
from benchmarks.capacity.replica_plan import Replica
from benchmarks.capacity.service import Work

MEAN = 0.002  # seconds of work
REQUESTS = 400_000


@pytest.fixture(scope="module")
def exponential() -> NDArray[np.float64]:
    """Work whose length is exponential, with exactly that mean."""
    drawn = np.random.default_rng(1).exponential(MEAN, 200_000)
    return drawn * (MEAN / drawn.mean())


def simulated(rate: float, service: NDArray[np.float64], workers: int) -> NDArray[np.float64]:
    random = np.random.default_rng(2)
    work = random.choice(service, REQUESTS)
    assert work.mean() == pytest.approx(MEAN, rel=0.01)
    return queueing.waits(rate, work, workers, random)[REQUESTS // 10 :]


def work(seconds: NDArray[np.float64], beyond: float = 0.0) -> Work:
    return Work(seconds, np.full(len(seconds), beyond))


def erlang_c(workers: int, load: float) -> float:
    """The part of requests that have to wait; ``load`` is in Erlang."""
    last = load**workers / math.factorial(workers) * workers / (workers - load)
    return last / (sum(load**k / math.factorial(k) for k in range(workers)) + last)


@pytest.mark.parametrize(("workers", "busy"), [(1, 0.5), (1, 0.8), (2, 0.7), (4, 0.8), (16, 0.9)])
def test_m_m_c(exponential: NDArray[np.float64], workers: int, busy: float) -> None:
    load = busy * workers
    waited = simulated(load / MEAN, exponential, workers)
    waits = erlang_c(workers, load)
    assert (waited > 0).mean() == pytest.approx(waits, rel=0.03)
    assert waited.mean() == pytest.approx(waits * MEAN / (workers - load), rel=0.08)


@pytest.mark.parametrize("busy", [0.3, 0.6, 0.85])
def test_m_d_1(busy: float) -> None:
    waited = simulated(busy / MEAN, np.array([MEAN]), 1)
    assert (waited > 0).mean() == pytest.approx(busy, rel=0.02)
    assert waited.mean() == pytest.approx(busy * MEAN / (2 * (1 - busy)), rel=0.05)


def test_p99_of_m_m_1(exponential: NDArray[np.float64]) -> None:
    """Time in the system is exponential with the rate that is left over."""
    rate = 0.7 / MEAN
    expected = -math.log(0.01) / (1 / MEAN - rate)
    assert queueing.p99(rate, work(exponential), 1) == pytest.approx(expected, rel=0.08)
    assert queueing.p99(1.01 / MEAN, work(exponential), 1) == math.inf


@pytest.mark.parametrize("target", [100, 1_000, 1_000_000])
def test_a_plan(target: int) -> None:
    replica = Replica(holds=400, workers=1, work=work(np.array([MEAN]), 0.001))
    made = replica_plan.plan(target, replica, headroom=0.3)
    assert made.needed == math.ceil(target / 280)
    assert (made.replicas, made.cores) == (made.needed + 1, made.needed + 1)
    # No more than 280 requests a second of 2 ms each, so under 56 % busy.
    assert 3 <= made.p99_ms <= made.p99_one_down_ms < 12
    two = Replica(holds=400, workers=2, work=work(np.array([MEAN]), 0.001))
    assert replica_plan.plan(target, two, headroom=0.3).cores == 2 * made.replicas


def test_a_plan_takes_no_replica_too_many() -> None:
    replica = Replica(holds=100, workers=1, work=work(np.array([MEAN])))
    assert replica_plan.plan(700, replica, headroom=0.3).needed == 10
    assert replica_plan.plan(701, replica, headroom=0.3).needed == 11
