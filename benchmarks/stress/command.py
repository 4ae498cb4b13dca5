"""What ``python -m benchmarks stress`` does."""

import argparse

from rich.console import Console

from benchmarks import display, machine, prepare
from benchmarks.batching import heavy
from benchmarks.stress import overload, pressure, soak, verdict


def run(wanted: argparse.Namespace, console: Console) -> None:
    """Measure, and print each figure beside its target; a missed one is no error.

    Raises:
        BenchmarkError: the server can't be started, or fails requests that it can carry.

    """
    with console.status("training the model, where there is none"):
        models = prepare.models()
    count, seconds = wanted.rounds, wanted.seconds
    if wanted.overload:
        with display.steps(console, 2) as step:
            lines = overload.overload(heavy.models(), wanted.overload, step)
    elif wanted.soak:
        with display.steps(console, soak.steps(wanted.soak)) as step:
            lines = soak.soak(models, wanted.soak, step)
    else:
        with display.steps(console, 4 * count + len(pressure.BUSY) + 1) as step:
            lines = [
                *pressure.loaded(models, count, seconds, step),
                *pressure.health(models, seconds, step),
                *pressure.overrun(models, seconds, step),
                pressure.start_up(models, count, step),
            ]
    display.out(120).print(verdict.table(lines))
    print(machine.circumstances())
