"""How many replicas a rate takes."""

import math
from dataclasses import dataclass

from benchmarks.capacity import queueing
from benchmarks.capacity.service import Work


@dataclass(frozen=True)
class Replica:
    """What is known of one."""

    holds: float
    """Requests a second within the promise."""
    workers: int
    work: Work
    """Of requests, as it was measured."""

    def p99_ms(self, rate: float) -> float:
        """As simulated, at so many requests a second."""
        return 1000 * queueing.p99(rate, self.work, self.workers)


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
        replica.p99_ms(target / replicas),
        replica.p99_ms(target / needed),
    )
