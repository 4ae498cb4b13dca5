"""How many replicas a rate needs."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The replicas for a rate."""

    target: float
    """Requests per second."""
    needed: int
    """Replicas that carry it and keep the headroom."""
    replicas: int
    """One more than needed, so that one may fail or be replaced."""
    cores: int
    """Of all replicas, one for each worker."""


def plan(target: float, capacity: float, headroom: float, workers: int) -> Plan:
    """Replicas for ``target`` requests per second.

    Args:
        target: requests per second.
        capacity: requests per second that one replica sustains.
        headroom: fraction of the capacity that stays unused.
        workers: of a replica.

    """
    needed = math.ceil(target / (capacity * (1 - headroom)) - 1e-9)
    return Plan(target, needed, needed + 1, (needed + 1) * workers)
