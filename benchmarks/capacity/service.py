"""How long a request is worked on, drawn from what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.prepared_request import MIX, MIXED
from benchmarks.load.stats import Tally

SAMPLES = 20_000


@dataclass(frozen=True)
class Alone:
    """Requests of one size, one at a time."""

    seconds: NDArray[np.float64]
    """Each one's latency at the client."""
    cpu: float
    """Seconds of the server's CPU time for each, on average."""


def alone(tally: Tally, cpu_seconds: float) -> Alone:
    """Of a closed user's requests, and the CPU time that the server took for all of them."""
    counted = [
        (item.value_iterated_to / 1e6, item.count_at_value_iterated_to)
        for item in tally.latencies.get_recorded_iterator()
    ]
    values, counts = zip(*counted, strict=True)
    return Alone(np.repeat(values, counts), cpu_seconds / sum(counts))


@dataclass(frozen=True)
class Work:
    """Requests of a load, each with its place in both arrays."""

    seconds: NDArray[np.float64]
    """That a worker is busy with each."""
    beyond: NDArray[np.float64]
    """Seconds that each takes besides: network, client, and the system's."""


def drawn(sizes: Mapping[int, Alone], rows: str, cpu: float) -> Work:
    """Samples of the requests of a load.

    Of a request's latency with nobody else there, the part that is a worker's is the size's CPU
    time by its mean latency. Work is then scaled to ``cpu``, the average under the load itself,
    where requests share runs and polls.

    Args:
        sizes: what was measured of each.
        rows: of the load's requests, or "mix".
        cpu: seconds for each request of the load.

    """
    shares = MIX if rows == MIXED else {int(rows): 100}
    random = np.random.default_rng(0)
    work, beyond = [], []
    for size, share in shares.items():
        one = sizes[size]
        latencies = random.choice(one.seconds, SAMPLES * share // 100)
        part = min(one.cpu / float(one.seconds.mean()), 1.0)
        work.append(latencies * part)
        beyond.append(latencies * (1 - part))
    seconds = np.concatenate(work)
    return Work(seconds * (cpu / seconds.mean()), np.concatenate(beyond))
