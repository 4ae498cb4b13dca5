"""Ten times as many requests as a server can answer, for long: what it still does, and for whom."""

import re
import statistics
import time
import urllib.request
from pathlib import Path

from benchmarks.fixtures import small_model
from benchmarks.load import wrk
from benchmarks.progress import Step
from benchmarks.regress.metrics import Line, at_least, at_most
from benchmarks.regress.pressure import HEALTH, slowest
from benchmarks.system import servers
from benchmarks.system.prober import Watch
from benchmarks.system.servers import Server

WORKERS = 2
TIMES = 10
QUEUE = 64
TIMEOUT_SECONDS = 5
PAUSE_SECONDS = 0.2  # of a client, before its next request
PEAK_SECONDS = 5
# One request a run, so that the peak does not depend on how many wait.
OPTIONS = ("--max-batch-rows", "1", "--max-queue", str(QUEUE), "--timeout", str(TIMEOUT_SECONDS))
GOODPUT = 0.8
NORMAL_SECONDS = 5.0
MEMORY_MIB = 20.0
_LATE = re.compile(r'^onnxlet_rejections_total\{reason="deadline"\} (\d+)', re.MULTILINE)


def overload(models: Path, minutes: float, step: Step) -> list[Line]:
    """Overload a server whose model takes about 10 ms a run.

    Args:
        models: the repository of that model.
        minutes: how long.
        step: called before each part.

    Raises:
        BenchmarkError: the server can't be started, or answers nothing.

    """
    body = small_model.requests([1])[1].body
    with servers.ours(models, *OPTIONS, workers=WORKERS) as server:
        step("peak")
        _, peak = (  # a model's first runs are slow
            _answered(wrk.run(server.url, body, 2 * WORKERS, PEAK_SECONDS)) for _ in range(2)
        )
        before = server.memory()
        usual = _seconds_to_answer(server, body)
        # Those that wait in a queue do not ask; all others ask once in PAUSE_SECONDS.
        clients = WORKERS * QUEUE + round(TIMES * peak * PAUSE_SECONDS)
        step(f"{clients} clients")
        with Watch(server.base + HEALTH) as health, Watch(server.url, "POST", body) as single:
            load = wrk.run(server.url, body, clients, 60 * minutes, pause=PAUSE_SECONDS)
        normal = _seconds_until_normal(server, body, usual)
        refused = [taken for status, taken in single.seen if status == 429]
        return [
            Line("requests sent, of those it can answer", load.requests / load.seconds / peak),
            at_least("answered with 200, of those", _answered(load) / peak, GOODPUT),
            at_most("answered after their deadline (504)", _late(server), 0),
            at_most("connections that failed", load.errors - load.refused, 0),
            Line("refused (429) after, median", statistics.median(refused), unit=" ms"),
            slowest(health, f"{TIMES} times its peak"),
            at_most("more memory (PSS) after it", server.memory() - before, MEMORY_MIB, " MiB"),
            at_most("as quick as before after", normal, NORMAL_SECONDS, " s"),
        ]


def _answered(load: wrk.Load) -> float:
    """Requests a second that were answered with 200."""
    return (load.requests - load.refused) / load.seconds


def _late(server: Server) -> float:
    with urllib.request.urlopen(f"{server.base}/metrics") as answer:  # noqa: S310
        found = _LATE.search(answer.read().decode())
    return float(found[1]) if found else 0.0


def _seconds_to_answer(server: Server, body: bytes) -> float:
    """The median of some requests, one after the other."""
    taken = []
    for _ in range(11):
        started = time.monotonic()
        request = urllib.request.Request(server.url, body)  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            answer.read()
        taken.append(time.monotonic() - started)
    return statistics.median(taken)


def _seconds_until_normal(server: Server, body: bytes, usual: float) -> float:
    """Until requests take at most twice as long as they did before."""
    started = time.monotonic()
    while True:
        try:
            if _seconds_to_answer(server, body) < 2 * usual:
                return time.monotonic() - started
        except OSError:  # it still refuses
            time.sleep(0.05)
