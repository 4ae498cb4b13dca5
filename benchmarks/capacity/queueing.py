"""A replica as a queue: first come, first served, by one or several workers.

Requests come at random (Poisson); how long each is worked on is drawn from what was measured. Tests
hold the simulation to the formulas for M/M/c (Erlang C) and M/D/1 (Pollaczek and Khinchine).
"""

import heapq

import numpy as np
from numpy.typing import NDArray

REQUESTS = 200_000
_SETTLING = 0.1  # of the requests, at the beginning, which are not counted


def waits(
    rate: float,
    service: NDArray[np.float64],
    workers: int,
    random: np.random.Generator,
    requests: int = REQUESTS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Simulate so many requests.

    Args:
        rate: of arrivals, per second.
        service: seconds of work, of which each request's are drawn.
        workers: that take from one queue.
        random: where chance comes from.
        requests: how many, those of the settling among them.

    Returns:
        Seconds that each request waited, and that it was worked on.

    """
    arrivals = np.cumsum(random.exponential(1 / rate, requests))
    worked = random.choice(service, requests)
    free = [0.0] * workers
    waited = np.empty(requests)
    for number, (at, length) in enumerate(zip(arrivals.tolist(), worked.tolist(), strict=True)):
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + length)
        waited[number] = begins - at
    kept = slice(int(requests * _SETTLING), None)
    return waited[kept], worked[kept]


def p99(rate: float, service: NDArray[np.float64], workers: int, seed: int = 0) -> float:
    """Seconds within which 99 % of requests are answered; infinite where work piles up."""
    if rate * float(service.mean()) >= workers:
        return float("inf")
    waited, worked = waits(rate, service, workers, np.random.default_rng(seed))
    return float(np.percentile(waited + worked, 99))
