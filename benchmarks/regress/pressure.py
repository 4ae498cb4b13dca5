"""What a server does for others while it is busy, or overrun."""

import functools
import statistics
from dataclasses import replace
from pathlib import Path

from benchmarks.fixtures import small_model
from benchmarks.load import rounds, wrk
from benchmarks.load.rounds import Shape, Target
from benchmarks.progress import Step
from benchmarks.regress.metrics import Line, at_least, at_most
from benchmarks.system import servers
from benchmarks.system.prober import Watch

LARGE, SINGLE, CROWD = Shape(256, 4), Shape(1, 16), Shape(1, 64)
BUSY = (CROWD, Shape(256, 16))
OVERRUN = Shape(256, 300)  # more than the queues hold
CROWD_AT_LEAST = 0.9
SHARE = (0.4, 0.6)
READY_SECONDS = 1.0
MEMORY_MIB = 110.0
HEALTH_MILLISECONDS = 100.0
HEALTH = "/v2/health/ready"


def loaded(models: Path, count: int, seconds: float, step: Step) -> list[Line]:
    """More connections, how two workers share the work, and what memory is left with them."""
    requests = small_model.requests([LARGE.rows, SINGLE.rows])
    with servers.ours(models) as server:
        measured = {}
        for shape in (LARGE, SINGLE, CROWD):
            target = Target(server, requests[shape.rows])
            (measured[shape],) = rounds.alternate(
                [target], shape, count, seconds, functools.partial(step, shape)
            )
        kept = rounds.ratio(measured[CROWD], measured[SINGLE], lambda one: one.rows_per_second)
        low, high = SHARE
        share = statistics.median(one.shares[0] for one in measured[LARGE])
        return [
            at_least(f"rows/s at {CROWD}, of those at {SINGLE}", kept, CROWD_AT_LEAST),
            Line(
                f"share of one worker of two, {LARGE}",
                share,
                f"{low:g} to {high:g}",
                low <= share <= high,
            ),
            at_most("memory (PSS) of the tree after that", server.memory(), MEMORY_MIB, " MiB"),
        ]


def health(models: Path, seconds: float, step: Step) -> list[Line]:
    """The slowest answer to a health check under loads that the server can carry.

    Raises:
        FailedRequestsError: a request of such a load failed.

    """
    lines = []
    for shape in BUSY:
        step(shape)
        body = small_model.requests([shape.rows])[shape.rows].body
        with servers.ours(models) as server, Watch(server.base + HEALTH) as watch:
            load = wrk.run(server.url, body, shape.connections, seconds)
        if load.errors:
            raise rounds.FailedRequestsError(f"{shape}: {load.errors} requests failed")
        lines.append(slowest(watch, shape))
    return lines


def overrun(models: Path, seconds: float, step: Step) -> list[Line]:
    """How soon a health check is answered, and a request refused, under one that it can't."""
    bodies = {rows: one.body for rows, one in small_model.requests([1, OVERRUN.rows]).items()}
    step(OVERRUN)
    with (
        servers.ours(models) as server,
        Watch(server.base + HEALTH) as watch,
        Watch(server.url, "POST", bodies[1]) as request,
    ):
        wrk.run(server.url, bodies[OVERRUN.rows], OVERRUN.connections, seconds)
    refused = [taken for status, taken in request.seen if status == 429]
    what = f"refused (429) of {len(request.seen)} requests at {OVERRUN}"
    lines = [slowest(watch, OVERRUN), Line(what, len(refused))]
    if refused:
        lines.append(Line("refused after, median", statistics.median(refused), unit=" ms"))
    return lines


def slowest(watch: Watch, shape: object) -> Line:
    """The slowest of the health checks that were watched; each has to be answered with 200."""
    what = f"slowest of {len(watch.seen)} health answers at {shape}"
    longest = max(taken for _, taken in watch.seen)
    line = at_most(what, longest, HEALTH_MILLISECONDS, " ms")
    if bad := sum(status != 200 for status, _ in watch.seen):
        return replace(line, what=f"{what}, {bad} of them not 200", met=False)
    return line


def start_up(models: Path, count: int, step: Step) -> Line:
    """Seconds from the start of the command to a ready answer."""
    seconds = []
    for _ in range(count):
        step("start")
        with servers.ours(models) as server:
            seconds.append(server.seconds_to_ready)
    return at_most("ready after", statistics.median(seconds), READY_SECONDS, " s")
