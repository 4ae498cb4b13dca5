"""Scenarios of a server with two workers that is busy, or has more to do than it can."""

import statistics
from collections.abc import Iterator

from benchmarks.errors import BenchmarkError
from benchmarks.load import rounds, wrk
from benchmarks.load.rounds import Target
from benchmarks.load.shapes import LARGE_BATCHES, SINGLE_ROWS, Shape
from benchmarks.regress.bench import Bench
from benchmarks.regress.metrics import HEALTH, MEMORY, RATE, UNHEALTHY, Result
from benchmarks.system.prober import Prober
from benchmarks.system.servers import Server

MANY_CONNECTIONS, MANY_LARGE = Shape(1, 64), Shape(256, 16)
TOO_MANY = Shape(256, 300)  # more than the queues hold
_HEALTH = "/v2/health/ready"


def connections(bench: Bench) -> Iterator[Result]:
    """How rows per second change with more connections, and how two workers share the work."""
    with bench.two_workers() as server:
        measured = {}
        for shape in (LARGE_BATCHES, SINGLE_ROWS, MANY_CONNECTIONS):
            (measured[shape],) = rounds.alternate(
                [Target(server, bench.request(shape.rows))],
                shape,
                bench.rounds,
                bench.seconds,
                lambda shape=shape: bench.step(shape),  # type: ignore[misc]
            )
        memory = server.tree.memory_mib()
    many, few = measured[MANY_CONNECTIONS], measured[SINGLE_ROWS]
    ratios = rounds.ratios(many, few, rounds.ROWS_PER_SECOND)
    yield Result(f"{MANY_CONNECTIONS} / {SINGLE_ROWS}", RATE, ratios)
    # The two workers need all CPUs of a small machine, so wrk has none of its own.
    busiest = [max(one.generator_share for one in measured[shape]) for shape in measured]
    yield Result(f"{MANY_CONNECTIONS} / {SINGLE_ROWS}", "CPU of wrk, of one", [max(busiest)])
    scenario = f"{LARGE_BATCHES}, two workers"
    shares = [max(one.shares) for one in measured[LARGE_BATCHES]]
    yield Result(scenario, "CPU share of the busier worker", shares)
    yield Result(scenario, MEMORY, [memory])


def health(bench: Bench) -> Iterator[Result]:
    """Health checks under loads that the server can carry.

    Raises:
        BenchmarkError: a request of such a load failed.

    """
    for shape in (MANY_CONNECTIONS, MANY_LARGE):
        bench.step(shape)
        request = bench.request(shape.rows)
        with bench.two_workers() as server, health_prober(server) as prober:
            load = wrk.run(
                server.base + request.path, request.body, shape.connections, bench.seconds
            )
        if load.errors:
            raise BenchmarkError(f"{shape}: {load.errors} requests failed")
        yield from health_results(f"{shape}, two workers", prober)


def overrun(bench: Bench) -> Iterator[Result]:
    """Health checks and single requests under a load that is more than the queues hold."""
    bench.step(TOO_MANY)
    large, single = bench.request(TOO_MANY.rows), bench.request(1)
    with bench.two_workers() as server:
        url = server.base + large.path
        with health_prober(server) as prober, Prober(url, "POST", single.body) as singles:
            wrk.run(url, large.body, TOO_MANY.connections, bench.seconds)
    scenario = f"{TOO_MANY}, two workers"
    yield from health_results(scenario, prober)
    yield from refusal_results(scenario, singles)


def start(bench: Bench) -> Iterator[Result]:
    """How long the server takes to become ready."""
    seconds = []
    for _ in range(bench.rounds):
        bench.step("start")
        with bench.two_workers() as server:
            seconds.append(server.seconds_to_ready)
    yield Result("start", "seconds until ready", seconds)


def health_prober(server: Server) -> Prober:
    """Checks a server's health while its block runs."""
    return Prober(server.base + _HEALTH)


def health_results(scenario: str, prober: Prober) -> Iterator[Result]:
    """The slowest health check, and how many were not answered with 200."""
    yield Result(scenario, HEALTH, [max(taken for _, taken in prober.answers)])
    yield Result(scenario, UNHEALTHY, [sum(status != 200 for status, _ in prober.answers)])


def refusal_results(scenario: str, prober: Prober) -> Iterator[Result]:
    """How many single requests were refused, and how fast, if any was."""
    refused = [taken for status, taken in prober.answers if status == 429]
    yield Result(scenario, "single requests refused (429)", [len(refused) / len(prober.answers)])
    if refused:
        yield Result(scenario, "refused after, median, ms", [statistics.median(refused)])
