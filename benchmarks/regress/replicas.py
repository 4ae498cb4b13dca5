"""A second replica on the same machine, and what both do together."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from benchmarks.errors import BenchmarkError
from benchmarks.load import rounds
from benchmarks.load.rounds import Measurement, Target
from benchmarks.load.shapes import SMALL_BATCHES
from benchmarks.regress.bench import Bench
from benchmarks.regress.metrics import CPU, RATE, Result

_REPLICAS = 2


def replicas(bench: Bench) -> Iterator[Result]:
    """Rows per second, and CPU time per row, of two replicas in relation to one.

    Each has a worker on a CPU of its own, and as many connections as a single one. The load has the
    CPUs that are left, and on two CPUs it shares those of the replicas.

    Raises:
        BenchmarkError: there is one CPU, or a request failed.

    """
    cpus = bench.cpus.server + bench.cpus.generator
    if len(set(cpus)) < _REPLICAS:
        raise BenchmarkError(f"two replicas need two CPUs; this process may use {len(set(cpus))}")
    rest = cpus[_REPLICAS:]
    with ExitStack() as stack:
        targets = [
            Target(
                stack.enter_context(bench.one_worker(cpu)), bench.request(SMALL_BATCHES.rows), rest
            )
            for cpu in cpus[:_REPLICAS]
        ]
        rates = [rounds.warm_up(target, SMALL_BATCHES) for target in targets]
        measured = []
        for _ in range(bench.rounds):
            bench.step("replicas")
            (one,) = _measure(bench, targets[:1], rates)
            measured.append((one, _measure(bench, targets, rates)))
    scenario = f"two replicas / one, {SMALL_BATCHES}"
    yield Result(
        scenario,
        RATE,
        [sum(two.rows_per_second for two in both) / one.rows_per_second for one, both in measured],
    )
    yield Result(
        scenario,
        CPU,
        [
            sum(two.cpu_per_row for two in both) / len(both) / one.cpu_per_row
            for one, both in measured
        ],
    )


def _measure(bench: Bench, targets: Sequence[Target], rates: list[float]) -> list[Measurement]:
    """Load some servers at the same time."""
    with ThreadPoolExecutor(len(targets)) as pool:
        loads = [
            pool.submit(rounds.measure, target, SMALL_BATCHES, bench.seconds, rate)
            for target, rate in zip(targets, rates, strict=False)
        ]
        return [load.result() for load in loads]
