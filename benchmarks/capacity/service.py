"""How long a request is worked on, drawn from what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.letter import MIX, MIXED
from benchmarks.load.tally import Tally

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


def drawn(sizes: Mapping[int, Alone], rows: str, cpu: float) -> tuple[NDArray[np.float64], float]:
    """Samples of the work of a load's requests, and what each takes beyond it.

    Work is CPU time: a size's average, spread as its latencies are, and all of it scaled to
    ``cpu``, the average under the load itself, where requests share runs and polls.

    Args:
        sizes: what was measured of each.
        rows: of the load's requests, or "mix".
        cpu: seconds for each request of the load.

    Returns:
        Seconds of work, of ``SAMPLES`` requests, and seconds beyond it on average.

    """
    shares = MIX if rows == MIXED else {int(rows): 100}
    random = np.random.default_rng(0)
    parts, beyond = [], 0.0
    for size, share in shares.items():
        one = sizes[size]
        count = SAMPLES * share // 100
        parts.append(one.cpu * random.choice(one.seconds / one.seconds.mean(), count))
        beyond += share / 100 * max(float(one.seconds.mean()) - one.cpu, 0.0)
    work = np.concatenate(parts)
    return work * (cpu / work.mean()), beyond
