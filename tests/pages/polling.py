"""Do open pages slow inference? ``python -m tests.pages.polling`` measures it with wrk.

Two equal servers answer the same load in turn. Meanwhile one of them is also asked for what ten
open pages ask for (the metrics, every two seconds) and, once a second, for all files of the page.
"""

import statistics
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.fixtures import small_model
from benchmarks.load import rounds
from benchmarks.load.rounds import Measurement, Shape, Target
from benchmarks.system import machine, servers
from serve.pages import FOLDER

PAGES = 10
PERIOD = 2.0  # seconds, as in live.js
ROUNDS, SECONDS = 9, 4
LOAD = Shape(1, 16)


@contextmanager
def asked_every(seconds: float, base: str, *paths: str) -> Iterator[None]:
    """Ask a server for these paths again and again."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(seconds):
            for path in paths:
                with urllib.request.urlopen(base + path, timeout=30) as answer:  # noqa: S310
                    answer.read()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def main() -> None:
    request = small_model.requests([1])[1]
    with ExitStack() as opened:
        alone = opened.enter_context(servers.ours(small_model.models()))
        polled = opened.enter_context(servers.ours(small_model.models()))
        files = [f"/pages/{path.name}" for path in FOLDER.iterdir()]
        opened.enter_context(asked_every(PERIOD / PAGES, polled.base, "/metrics"))
        opened.enter_context(asked_every(1.0, polled.base, "/", *files))
        targets = [Target(server, request) for server in (alone, polled)]
        measured = rounds.alternate(targets, LOAD, ROUNDS, SECONDS, lambda: None)
    print(f"with {PAGES} open pages, over {ROUNDS} rounds of {SECONDS} s at {LOAD}:")
    report("requests/s", [one.rows_per_second for one in measured[0]], measured, "rows_per_second")
    report("CPU us a request", [one.cpu_per_row for one in measured[0]], measured, "cpu_per_row")
    print(machine.circumstances())


def report(what: str, alone: list[float], measured: list[list[Measurement]], figure: str) -> None:
    ratio = rounds.ratio(measured[1], measured[0], lambda one: float(getattr(one, figure)))
    print(f"{what}: {ratio:.3f} of {statistics.median(alone):.0f} without pages")


if __name__ == "__main__":
    main()
