"""How many replicas a rate needs, and what else."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Replica:
    """What was measured of one replica."""

    capacity: float
    """Requests per second that it sustains."""
    workers: int
    memory_mib: float
    """Of all its processes, after the load."""
    body_bytes: float
    """Of a request, on average."""
    rows: float
    """Of a request, on average."""


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
    memory_gib: float
    """Of all replicas."""
    network_gbit: float
    """Bodies of requests, in Gbit/s, of all replicas."""
    core_hours: float
    """For a million rows, with all replicas running."""


def plan(target: float, replica: Replica, headroom: float) -> Plan:
    """Replicas for ``target`` requests per second.

    Args:
        target: requests per second.
        replica: what one can do.
        headroom: fraction of the capacity that stays unused.

    """
    needed = math.ceil(target / (replica.capacity * (1 - headroom)) - 1e-9)
    replicas = needed + 1
    cores = replicas * replica.workers
    return Plan(
        target=target,
        needed=needed,
        replicas=replicas,
        cores=cores,
        memory_gib=replicas * replica.memory_mib / 1024,
        network_gbit=target * replica.body_bytes * 8 / 1e9,
        core_hours=cores * 1e6 / (target * replica.rows) / 3600,
    )
