"""What ``python -m benchmarks stress`` does."""

import argparse

from rich.console import Console

from benchmarks import progress
from benchmarks.fixtures import heavy_model, small_model
from benchmarks.regress import metrics, overload, pressure, soak
from benchmarks.system import machine


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure, and print each figure beside its target; a missed one is no error.

    Raises:
        BenchmarkError: the server can't be started, or fails requests that it can carry.

    """
    with console.status("training the model, where there is none"):
        models = small_model.models()
    count, seconds = wanted.rounds, wanted.seconds
    if wanted.overload:
        with progress.steps(console, 2) as step:
            lines = overload.overload(heavy_model.models(), wanted.overload, step)
    elif wanted.soak:
        with progress.steps(console, soak.steps(wanted.soak)) as step:
            lines = soak.soak(models, wanted.soak, step)
    else:
        with progress.steps(console, 4 * count + len(pressure.BUSY) + 1) as step:
            lines = [
                *pressure.loaded(models, count, seconds, step),
                *pressure.health(models, seconds, step),
                *pressure.overrun(models, seconds, step),
                pressure.start_up(models, count, step),
            ]
    progress.out(120).print(metrics.table(lines))
    print(machine.circumstances())
