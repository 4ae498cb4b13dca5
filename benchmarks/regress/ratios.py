"""Scenarios that are ratios of two measurements in the same round: the machine's speed cancels."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from benchmarks.errors import BenchmarkError
from benchmarks.load import rounds
from benchmarks.load.protocols import PROTOCOLS
from benchmarks.load.rounds import Figure, Measurement
from benchmarks.load.shapes import LARGE_BATCHES, SHAPES, SINGLE_ROWS, Shape
from benchmarks.load.stats import GENERATOR_LIMIT
from benchmarks.peers import peer_environment
from benchmarks.profile import step_costs
from benchmarks.regress.bench import Bench
from benchmarks.regress.metrics import CPU, P99, RATE, Result
from benchmarks.system.servers import Server

_FIGURES: Mapping[str, Figure] = {
    CPU: rounds.CPU_PER_ROW,
    RATE: rounds.ROWS_PER_SECOND,
    P99: rounds.P99,
}
_NO_BATCHING = ("--max-batch-rows", "1")
_ONE_THREAD = ("--inference-threads", "1")
_BATCHING: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "batching / none": ((), _NO_BATCHING),
    "batching with a delay of 1 ms / none": (("--batch-delay-ms", "1"), _NO_BATCHING),
    "batching / none, one thread": (_ONE_THREAD, (*_ONE_THREAD, *_NO_BATCHING)),
}


def fastapi(bench: Bench) -> Iterator[Result]:
    """Our server beside FastAPI, and beside what the same request costs in process."""
    with (
        bench.onnxlet() as ours,
        peer_environment.server("fastapi", bench.models, bench.model, bench.cpus) as theirs,
    ):
        for shape in SHAPES:
            yield from _beside_fastapi(bench, ours, theirs, shape)


def _beside_fastapi(bench: Bench, ours: Server, theirs: Server, shape: Shape) -> Iterator[Result]:
    request, in_process = bench.request(shape.rows), []

    def measure_in_process() -> None:
        steps = step_costs.measure(bench.models, bench.model, request, shape.rows)
        in_process.append(steps.whole / shape.rows)

    mine, other = rounds.alternate(
        [bench.target(server, shape.rows) for server in (ours, theirs)],
        shape,
        bench.rounds,
        bench.seconds,
        lambda: bench.step(f"FastAPI, {shape}"),
        measure_in_process,
    )
    yield from _ratios(f"onnxlet / FastAPI, {shape}", mine, other)
    costs = zip(mine, in_process, strict=True)
    ratios = [one.cpu_per_row / cost for one, cost in costs]
    yield Result(f"onnxlet / in process, {shape}", CPU, ratios)


def protocols(bench: Bench) -> Iterator[Result]:
    """Each protocol beside /predict."""
    names = list(PROTOCOLS)
    with bench.onnxlet() as server:
        for shape in (SINGLE_ROWS, LARGE_BATCHES):
            predict, *others = rounds.alternate(
                [bench.target(server, shape.rows, name) for name in names],
                shape,
                bench.rounds,
                bench.seconds,
                lambda shape=shape: bench.step(f"protocols, {shape}"),  # type: ignore[misc]
            )
            for name, other in zip(names[1:], others, strict=True):
                metrics = (CPU, RATE) if name == "oip-binary" else (CPU,)
                yield from _ratios(f"{name} / predict, {shape}", other, predict, metrics)


def batching(bench: Bench) -> Iterator[Result]:
    """Batching beside none, with the small model and with a heavy one."""
    for model, start in (("small model", bench.onnxlet), ("heavy model", bench.heavy)):
        for name, variants in _BATCHING.items():
            with ExitStack() as running:
                targets = [
                    bench.target(running.enter_context(start(*arguments)), SINGLE_ROWS.rows)
                    for arguments in variants
                ]
                mine, none = rounds.alternate(
                    targets,
                    SINGLE_ROWS,
                    bench.rounds,
                    bench.seconds,
                    lambda model=model, name=name: bench.step(f"{model}, {name}"),  # type: ignore[misc]
                )
            yield from _ratios(f"{model}, {name}, {SINGLE_ROWS}", mine, none)


def _ratios(
    scenario: str,
    ours: Sequence[Measurement],
    theirs: Sequence[Measurement],
    metrics: Sequence[str] = tuple(_FIGURES),
) -> Iterator[Result]:
    if max(one.generator_share for one in (*ours, *theirs)) > GENERATOR_LIMIT:
        raise BenchmarkError(f"{scenario}: wrk had no CPU left, so the ratios do not count")
    for metric in metrics:
        values = rounds.ratios(ours, theirs, _FIGURES[metric])
        if len(values) == len(ours):  # else a round had too few answers for a p99
            yield Result(scenario, metric, values)
