"""The scenario of a mixed load for long: does the memory stay the same?"""

import statistics
from collections.abc import Iterator

from benchmarks.errors import BenchmarkError
from benchmarks.load import wrk
from benchmarks.load.shapes import LARGE_BATCHES, SINGLE_ROWS, SMALL_BATCHES
from benchmarks.regress.bench import Bench
from benchmarks.regress.metrics import Result
from benchmarks.regress.under_load import MANY_CONNECTIONS

SHAPES = (LARGE_BATCHES, SMALL_BATCHES, SINGLE_ROWS, MANY_CONNECTIONS)
_SETTLING = 10  # the first tenth of the samples does not count


def soak(bench: Bench) -> Iterator[Result]:
    """Memory (PSS) of the process tree, and how far it moves from its median.

    Raises:
        BenchmarkError: a request failed.

    """
    requests = {shape.rows: bench.request(shape.rows) for shape in SHAPES}
    cycles = max(1, round(bench.minutes * 60 / bench.seconds / len(SHAPES)))
    samples: list[float] = []
    with bench.two_workers() as server:
        for shape in SHAPES * cycles:
            bench.step(f"{samples[-1]:.1f} MiB" if samples else shape)
            request = requests[shape.rows]
            url = server.base + request.path
            load = wrk.run(url, request.body, shape.connections, bench.seconds)
            if load.errors:
                raise BenchmarkError(f"{shape}: {load.errors} requests failed")
            samples.append(server.tree.memory_mib())
    settled = samples[len(samples) // _SETTLING :]
    median = statistics.median(settled)
    yield Result("soak", "memory (PSS), median, MiB", [median])
    deviation = max(abs(sample / median - 1) for sample in settled)
    yield Result("soak", "largest deviation from it", [deviation])
