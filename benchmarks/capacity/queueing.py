"""A replica as a queue: first come, first served, by one or several workers.

Requests come at random (Poisson); how long each is worked on is drawn from what was measured. Tests
hold the simulation to the formulas for M/M/c (Erlang C) and M/D/1 (Pollaczek and Khinchine).
"""

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from benchmarks.capacity.service import Work

REQUESTS = 200_000
SETTLING = REQUESTS // 10  # requests at the beginning, which are not counted


def waits(
    rate: float, work: NDArray[np.float64], workers: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Seconds that each request waits until a worker takes it.

    Args:
        rate: of arrivals, per second.
        work: seconds that each request keeps a worker busy, in the order of their arrival.
        workers: that take from one queue.
        random: where chance comes from.

    """
    arrivals = np.cumsum(random.exponential(1 / rate, len(work)))
    free = [0.0] * workers
    waited = np.empty(len(work))
    for number, (at, length) in enumerate(zip(arrivals.tolist(), work.tolist(), strict=True)):
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + length)
        waited[number] = begins - at
    return waited


def p99(rate: float, work: Work, workers: int) -> float:
    """Seconds within which 99 % of requests are answered; infinite where work piles up."""
    if rate * float(work.seconds.mean()) >= workers:
        return math.inf
    random = np.random.default_rng(0)
    chosen = random.integers(len(work.seconds), size=REQUESTS)
    waited = waits(rate, work.seconds[chosen], workers, random)
    taken = waited + work.seconds[chosen] + work.beyond[chosen]
    return float(np.percentile(taken[SETTLING:], 99))
