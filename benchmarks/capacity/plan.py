"""How many replicas a rate takes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.capacity import queueing


@dataclass(frozen=True)
class Replica:
    """What is known of one."""

    holds: float
    """Requests a second within the promise."""
    workers: int
    service: NDArray[np.float64]
    """Seconds of work of requests as they were measured."""
    overhead: float
    """Seconds that a request takes beyond its work: network, client, and the system's."""


@dataclass(frozen=True)
class Plan:
    """An answer to a rate."""

    target: float
    """Requests a second."""
    needed: int
    """Replicas that carry it with headroom."""
    replicas: int
    """With one more, which may fail or be replaced."""
    cores: int
    p99_ms: float
    """As simulated, with all replicas; likewise ``p99_one_down_ms`` with one less."""
    p99_one_down_ms: float


def plan(target: float, replica: Replica, headroom: float) -> Plan:
    """Replicas for ``target`` requests a second, of which each holds ``headroom`` in reserve.

    A balancer that chooses at random splits a Poisson stream into such streams, so that one replica
    stands for all, however many there are.
    """
    needed = math.ceil(target / (replica.holds * (1 - headroom)) - 1e-9)
    replicas = needed + 1
    return Plan(
        target,
        needed,
        replicas,
        replicas * replica.workers,
        _p99_ms(target / replicas, replica),
        _p99_ms(target / needed, replica),
    )


def _p99_ms(rate: float, replica: Replica) -> float:
    seconds = queueing.p99(rate, replica.service, replica.workers) + replica.overhead
    return 1000 * seconds
