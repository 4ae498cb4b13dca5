"""``make bench-serve``: the server's core against FastAPI, with a verdict on every target."""

import argparse
import functools
import statistics
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks import dialects, machine, prepare, rounds, servers, verdict, wrk
from benchmarks.errors import BenchmarkError
from benchmarks.limit.floor import Floor
from benchmarks.peers import environment
from benchmarks.peers.table import PEERS
from benchmarks.rounds import Measurement, Shape, Target
from benchmarks.verdict import Line, at_least, at_most
from benchmarks.watch import Watch
from train.errors import TrainError

LARGE, MIDDLE, SINGLE, CROWD = Shape(256, 4), Shape(32, 4), Shape(1, 16), Shape(1, 64)
AGAINST_FASTAPI = (LARGE, MIDDLE, SINGLE)
CPU_AT_MOST = {LARGE: 0.38, MIDDLE: 0.40, SINGLE: 0.62}
ROWS_AT_LEAST = {LARGE: 2.5, MIDDLE: 2.2, SINGLE: 1.4}
CROWD_AT_LEAST = 0.9
LIMIT_AT_MOST = 1.2
SHARE = (0.4, 0.6)
READY_SECONDS = 1.0
MEMORY_MIB = 110.0
FLAT = 0.05
OVERRUN = Shape(256, 300)  # more than the queues hold
HEALTH_MILLISECONDS = 100.0


def speed(models: Path, count: int, seconds: float, console: Console) -> list[Line]:
    """Compare both servers under each load; start both, and load one at a time."""
    requests = prepare.requests([shape.rows for shape in AGAINST_FASTAPI])
    lines: list[Line] = []
    steps = count * (2 * len(AGAINST_FASTAPI) + 1)
    with (
        servers.ours(models) as ours,
        environment.server("fastapi", PEERS["fastapi"], models) as theirs,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("rounds", total=steps)
        step = functools.partial(progress.advance, task)
        single: list[Measurement] = []
        for shape in AGAINST_FASTAPI:
            request = requests[shape.rows]
            floor = Floor(models, request, shape.rows)
            mine, other = rounds.alternate(
                [Target(ours, request), Target(theirs, request)],
                shape,
                count,
                seconds,
                step,
                floor.measure,
            )
            lines += _against(shape, mine, other)
            lines += _against_limit(shape, mine, floor.measured)
            if shape == LARGE:
                lines.append(_share(mine))
            single = mine
        (crowd,) = rounds.alternate([Target(ours, requests[1])], CROWD, count, seconds, step)
        kept = rounds.ratio(crowd, single, lambda measured: measured.rows_per_second)
        lines.append(at_least("rows/s at 1 x 64, of those at 1 x 16", kept, CROWD_AT_LEAST))
        memory = ours.memory()
        lines.append(at_most("memory (PSS) of the tree after that", memory, MEMORY_MIB, " MiB"))
        lines.append(Line("memory (PSS) of FastAPI's tree", theirs.memory(), "", None, " MiB"))
    return lines


def _against(shape: Shape, mine: list[Measurement], other: list[Measurement]) -> list[Line]:
    cpu = rounds.ratio(mine, other, lambda measured: measured.cpu_per_row)
    rate = rounds.ratio(mine, other, lambda measured: measured.rows_per_second)
    tail = rounds.ratio(mine, other, lambda measured: measured.p99)
    return [
        Line(f"rows/s, {shape}", statistics.median(m.rows_per_second for m in mine), "", None),
        at_most(f"CPU per row / FastAPI's, {shape}", cpu, CPU_AT_MOST[shape]),
        at_least(f"rows/s / FastAPI's, {shape}", rate, ROWS_AT_LEAST[shape]),
        at_most(f"p99 / FastAPI's, {shape}", tail, 1.0),
    ]


def _share(mine: list[Measurement]) -> Line:
    low, high = SHARE
    share = statistics.median(measured.shares[0] for measured in mine)
    what = f"share of one worker of two, {LARGE}"
    return Line(what, share, f"{low:g} to {high:g}", low <= share <= high)


def _against_limit(shape: Shape, mine: list[Measurement], floors: list[float]) -> list[Line]:
    """Cost as a multiple of the in-process cost, measured in the same round."""
    multiple = statistics.median(
        measured.cpu_per_row / floor for measured, floor in zip(mine, floors, strict=True)
    )
    cost = statistics.median(measured.cpu_per_row for measured in mine)
    what = f"CPU per row / parse + run + render in process, {shape}"
    lines = [
        Line(f"CPU per row, {shape}", cost, "", None, " us"),
        Line(
            f"parse + run + render in process, {shape}", statistics.median(floors), "", None, " us"
        ),
    ]
    if shape == LARGE:
        return [*lines, at_most(what, multiple, LIMIT_AT_MOST)]
    return [*lines, Line(what, multiple, "", None)]


def pressure(models: Path, seconds: float) -> list[Line]:
    """How soon others are answered while the server is busy, and while it is overrun."""
    bodies = {rows: one.body for rows, one in prepare.requests([1, LARGE.rows]).items()}
    lines = []
    for shape in (CROWD, Shape(LARGE.rows, 16)):
        with servers.ours(models) as server, Watch(server.base + "/v2/health/ready") as health:
            load = wrk.run(server.url, bodies[shape.rows], shape.connections, seconds)
        if load.errors:
            raise rounds.FailedRequestsError(f"{shape}: {load.errors} requests failed")
        slowest = health.milliseconds(lambda status: status == 200)[-1]
        what = f"slowest of {len(health.seen)} health answers at {shape}"
        lines.append(at_most(what, slowest, HEALTH_MILLISECONDS, " ms"))
    with (
        servers.ours(models) as server,
        Watch(server.base + "/v2/health/ready") as health,
        Watch(server.url, "POST", bodies[1]) as request,
    ):
        wrk.run(server.url, bodies[LARGE.rows], OVERRUN.connections, seconds)
    slowest = health.milliseconds(lambda status: status == 200)[-1]
    refused = request.milliseconds(lambda status: status == 429)
    return [
        *lines,
        at_most(f"slowest health answer at {OVERRUN}", slowest, HEALTH_MILLISECONDS, " ms"),
        Line(
            f"median of {len(refused)} 429 at {OVERRUN}",
            statistics.median(refused),
            "",
            None,
            " ms",
        ),
    ]


def start_up(models: Path, count: int) -> Line:
    """Seconds from the start of the command to a ready answer."""
    seconds = []
    for _ in range(count):
        with servers.ours(models) as server:
            seconds.append(server.seconds_to_ready)
    return at_most("ready after", statistics.median(seconds), READY_SECONDS, " s")


def soak(models: Path, minutes: float, console: Console) -> list[Line]:
    """Memory under mixed load: how far it moves after the first tenth."""
    bodies = {rows: one.body for rows, one in prepare.requests([1, 32, 256]).items()}
    samples: list[float] = []
    with servers.ours(models) as server:
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            for shape in (LARGE, MIDDLE, SINGLE, CROWD):
                load = wrk.run(server.url, bodies[shape.rows], shape.connections, 5)
                if load.errors:
                    raise rounds.FailedRequestsError(f"{shape}: {load.errors} requests failed")
                samples.append(server.memory())
            console.print(f"{len(samples) * 5} s: {samples[-1]:.1f} MiB", highlight=False)
    settled = samples[len(samples) // 10 :]
    middle = statistics.median(settled)
    swing = max(abs(sample / middle - 1) for sample in settled)
    return [
        at_most(f"memory (PSS), median over {minutes:g} min", middle, MEMORY_MIB, " MiB"),
        at_most("largest distance from that", swing, FLAT),
    ]


def main() -> int:
    """Run the command line; the status is 0 even where a target is missed: this is no test."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.core",
        description="Compare the server with FastAPI + uvicorn + orjson, both with 2 workers.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each load")
    parser.add_argument("--seconds", type=float, default=5, help="of each load in a round")
    parser.add_argument(
        "--soak",
        type=float,
        default=0,
        metavar="MINUTES",
        help="mixed load instead, for its memory",
    )
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        models = prepare.models()
        if chosen.soak:
            lines = soak(models, chosen.soak, console)
        else:
            lines = speed(models, chosen.rounds, chosen.seconds, console)
            lines += dialects.compare(models, chosen.rounds, chosen.seconds)
            lines += pressure(models, chosen.seconds)
            lines.append(start_up(models, chosen.rounds))
    except (BenchmarkError, TrainError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    console.print(verdict.table(lines))
    console.print(machine.circumstances(), highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
