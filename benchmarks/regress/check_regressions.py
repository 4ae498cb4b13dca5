"""``python -m benchmarks regress``: has a change made the server slower, and are targets met?"""

import argparse
from collections.abc import Mapping, Sequence

from rich.console import Console

from benchmarks import progress
from benchmarks.errors import BenchmarkError
from benchmarks.fixtures import small_model
from benchmarks.peers import peer_environment
from benchmarks.regress import reference, scenarios
from benchmarks.regress.bench import Bench
from benchmarks.regress.metrics import Result
from benchmarks.regress.reference import LEAST_RUNS, Bounds, Reference
from benchmarks.regress.scenarios import COMPARED
from benchmarks.report import tables
from benchmarks.system import machine

HEAD = ("scenario", "metric", "reference", "measured", "change", "target")


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, and report what is out of its bounds or misses its target; neither is an error.

    Raises:
        BenchmarkError: a server can't be started, or fails requests that it should carry.

    """
    names = options.scenario
    if 0 < options.calibrate < LEAST_RUNS:
        raise BenchmarkError(f"--calibrate: expected at least {LEAST_RUNS} runs for the bounds")
    known = Reference() if options.calibrate else reference.read()
    small_model.prepare(options.models, console)
    if "fastapi" in names or options.calibrate:
        peer_environment.install("fastapi", console)
    with progress.steps(console) as step:
        bench = Bench(
            options.models, options.rounds, options.seconds, options.minutes, step, options.model
        )
        if options.calibrate:
            _calibrate(bench, options.calibrate, known)
            progress.wrote(console, reference.FILE)
            return
        results = scenarios.measure(bench, names)
    known_as = known.circumstances or "none; --calibrate 10 makes one"
    console.print(f"reference: {known_as}", highlight=False, soft_wrap=True)
    bounds = known.bounds([one.key for one in results])
    tables.show(HEAD, [row(one, bounds) for one in results])
    print("\n".join([*findings(results, bounds), f"{machine.circumstances()}; {bench.cpus}"]))


def _calibrate(bench: Bench, runs: int, made: Reference) -> None:
    """Make a new reference of so many runs."""
    for _ in range(runs):
        made.add(scenarios.measure(bench, COMPARED))
    measured = f"{bench.rounds} rounds of {bench.seconds:g} s"
    made.circumstances = f"{machine.circumstances()}; {bench.cpus}; {measured}"
    made.runs = {key: values for key, values in made.runs.items() if len(values) == runs}
    made.write()
    print(
        f"{len(made.runs)} ratios, {runs} runs. Compared with the others, {made.false_alarms()} of"
        f" these {runs} runs would be reported."
    )


def changed(result: Result, bounds: Mapping[str, Bounds]) -> bool:
    """Whether a result is out of its bounds."""
    found = bounds.get(result.key)
    return found is not None and not found.low <= result.value <= found.high


def missed(result: Result) -> bool:
    """Whether a result misses its target."""
    return result.target is not None and not result.target.met(result.value)


def findings(results: Sequence[Result], bounds: Mapping[str, Bounds]) -> list[str]:
    """What changed, and what misses its target."""
    lines = [f"changed: {one.key}" for one in results if changed(one, bounds)]
    if bounds and not lines:
        lines = ["nothing changed by more than its noise"]
    lines += [f"misses its target of {one.target}: {one.key}" for one in results if missed(one)]
    return lines


def row(one: Result, bounds: Mapping[str, Bounds]) -> list[str]:
    """A line of the table."""
    known, target = bounds.get(one.key), str(one.target or "")
    change = f"{one.value / known.median - 1:+.0%}" if known else ""
    return [
        one.scenario,
        one.metric,
        str(known or ""),
        _measured(one),
        f"[bold]{change}[/]" if changed(one, bounds) else change,
        f"[bold]{target} missed[/]" if missed(one) else target,
    ]


def _measured(result: Result) -> str:
    if len(result.values) == 1:
        return _number(result.value)
    low, high = min(result.values), max(result.values)
    return f"{_number(result.value)} ({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
