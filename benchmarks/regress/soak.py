"""Memory under a mixed load for long."""

import statistics
from pathlib import Path

from benchmarks.fixtures import small_model
from benchmarks.load import rounds, wrk
from benchmarks.load.rounds import Shape
from benchmarks.progress import Step
from benchmarks.regress.metrics import Line, at_most
from benchmarks.regress.pressure import MEMORY_MIB
from benchmarks.system import servers

SHAPES = (Shape(256, 4), Shape(32, 4), Shape(1, 16), Shape(1, 64))
LOAD_SECONDS = 5
FLAT = 0.05


def steps(minutes: float) -> int:
    """How often ``soak`` calls its ``step``."""
    return len(SHAPES) * max(1, round(minutes * 60 / LOAD_SECONDS / len(SHAPES)))


def soak(models: Path, minutes: float, step: Step) -> list[Line]:
    """Memory (PSS) of the tree, and how far it moves after the first tenth.

    Raises:
        FailedRequestsError: a request failed.

    """
    bodies = {rows: one.body for rows, one in small_model.requests(s.rows for s in SHAPES).items()}
    samples: list[float] = []
    with servers.ours(models) as server:
        for turn in range(steps(minutes)):
            shape = SHAPES[turn % len(SHAPES)]
            step(f"{samples[-1]:.1f} MiB" if samples else shape)
            load = wrk.run(server.url, bodies[shape.rows], shape.connections, LOAD_SECONDS)
            if load.errors:
                raise rounds.FailedRequestsError(f"{shape}: {load.errors} requests failed")
            samples.append(server.memory())
    settled = samples[len(samples) // 10 :]
    middle = statistics.median(settled)
    swing = max(abs(sample / middle - 1) for sample in settled)
    return [
        at_most(f"memory (PSS), median over {minutes:g} min", middle, MEMORY_MIB, " MiB"),
        at_most("largest distance from that", swing, FLAT),
    ]
