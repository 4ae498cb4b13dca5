"""The scenario of ten times as many requests as a server can answer, for minutes."""

import re
import statistics
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.load import wrk
from benchmarks.regress.bench import TWO_WORKERS, Bench
from benchmarks.regress.metrics import Result
from benchmarks.regress.under_load import health_prober, health_results, refusal_results
from benchmarks.system.prober import Prober
from benchmarks.system.servers import Server

TIMES, QUEUE = 10, 64
_TIMEOUT_SECONDS = 5
_PAUSE = 0.2  # seconds of a client, before its next request
_PATIENCE = 60.0  # seconds until the server must be back to normal
_LATE = re.compile(r'^onnxlet_rejections_total\{reason="deadline"\} (\d+)', re.MULTILINE)


def overload(bench: Bench, times: int = TIMES, queue: int = QUEUE) -> Iterator[Result]:
    """Overload a server whose model takes about 10 ms for each run.

    Each request has a run of its own, so that the peak does not depend on how many wait.

    Raises:
        BenchmarkError: the server can't be started, or answers nothing.

    """
    body = bench.request(1).body
    options = (
        "--max-batch-rows",
        "1",
        "--max-queue",
        str(queue),
        "--timeout",
        str(_TIMEOUT_SECONDS),
    )
    with bench.heavy(*options, workers=TWO_WORKERS) as server:
        url = f"{server.base}/predict"
        bench.step("peak")
        _, peak = (  # the first runs of a model are slow
            wrk.run(url, body, 2 * TWO_WORKERS, bench.seconds).accepted_rate for _ in range(2)
        )
        memory = server.tree.memory_mib()
        usual = _seconds_to_answer(url, body)
        # Those that wait in a queue send nothing; the others send once in each pause.
        clients = TWO_WORKERS * queue + round(times * peak * _PAUSE)
        bench.step(f"{clients} clients")
        with health_prober(server) as health, Prober(url, "POST", body) as singles:
            load = wrk.run(url, body, clients, 60 * bench.minutes, pause=_PAUSE)
        normal = _seconds_until_normal(url, body, usual)
        late, more = _late(server), server.tree.memory_mib() - memory
    figures = {
        "requests / peak": load.requests / load.seconds / peak,
        "answered with 200 / peak": load.accepted_rate / peak,
        "answered after the deadline (504)": late,
        "failed connections": load.failed,
        "more memory (PSS) after it, MiB": more,
        "seconds until answers are as fast as before": normal,
    }
    for metric, value in figures.items():
        yield Result("overload", metric, [value])
    yield from health_results("overload", health)
    yield from refusal_results("overload", singles)


def _late(server: Server) -> float:
    with urllib.request.urlopen(f"{server.base}/metrics") as answer:  # noqa: S310
        found = _LATE.search(answer.read().decode())
    return float(found[1]) if found else 0.0


def _seconds_to_answer(url: str, body: bytes) -> float:
    """The median of some requests, one after the other."""
    taken = []
    for _ in range(11):
        started = time.monotonic()
        with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:  # noqa: S310
            answer.read()
        taken.append(time.monotonic() - started)
    return statistics.median(taken)


def _seconds_until_normal(url: str, body: bytes, usual: float) -> float:
    """Until requests take at most twice as long as before, or patience ends."""
    started = time.monotonic()
    while time.monotonic() < started + _PATIENCE:
        try:
            if _seconds_to_answer(url, body) < 2 * usual:
                break
        except OSError:  # it still refuses
            time.sleep(0.05)
    return time.monotonic() - started
