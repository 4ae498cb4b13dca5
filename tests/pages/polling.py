"""Do open pages slow inference? ``python -m tests.pages.polling`` measures it with wrk.

Two equal servers answer the same load in turn. One of them is also asked for what ten open pages
ask for (the metrics, every five seconds) and, once a second, for all files of the page. Before,
the CPU time of these requests is measured, which other programs on the machine change less.
"""

import argparse
import json
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.load import wrk
from benchmarks.system import machine
from serve.pages import FOLDER
from tests.servers.live import Server

PAGES = 10
PERIOD = 5.0  # seconds, as in live.js
ROUNDS, SECONDS, CONNECTIONS = 9, 4, 16
REPEATS = 50


@contextmanager
def asked_every(seconds: float, server: Server, *paths: str) -> Iterator[None]:
    """Ask a server for these paths again and again."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(seconds):
            for path in paths:
                assert server.request("GET", path).status == 200

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def cpu_milliseconds(server: Server, *paths: str) -> float:
    """CPU time of all processes of the server, for one request to each path."""
    main = psutil.Process(server.process.pid)
    tree = [main, *main.children(recursive=True)]

    def spent() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in tree)

    before = spent()
    for _ in range(REPEATS):
        for path in paths:
            server.request("GET", path)
    return (spent() - before) / REPEATS * 1000


def rate(server: Server, body: bytes) -> float:
    """Requests per second of the server under load."""
    url = f"http://127.0.0.1:{server.port}/predict?model=mnist"
    load = wrk.run(url, body, CONNECTIONS, SECONDS)
    assert not load.errors
    return load.requests / load.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path("models"))
    models = str(parser.parse_args().models)
    files = [f"/pages/{path.name}" for path in FOLDER.iterdir()]
    with Server("--models", models) as alone, Server("--models", models) as polled:
        (image,) = alone.request("GET", "/v2/models/mnist/example").json()["inputs"]
        body = json.dumps({"image": image["data"][: 28 * 28]}).encode()
        print(f"GET /metrics: {cpu_milliseconds(alone, '/metrics'):.1f} ms of CPU time")
        print(f"GET of all files: {cpu_milliseconds(alone, '/', *files):.1f} ms of CPU time")
        rates: list[tuple[float, float]] = []
        with (
            asked_every(PERIOD / PAGES, polled, "/metrics"),
            asked_every(1.0, polled, "/", *files),
        ):
            for turn in range(ROUNDS):
                pair = [rate(server, body) for server in (alone, polled)[:: 1 - turn % 2 * 2]]
                rates.append((pair[turn % 2], pair[1 - turn % 2]))
    ratio = statistics.median(with_pages / without for without, with_pages in rates)
    print(f"with {PAGES} open pages: {ratio:.3f} of the requests/s without pages")
    print(f"(median of {ROUNDS} rounds; {CONNECTIONS} connections, 1 row a request)")
    print(machine.circumstances())


if __name__ == "__main__":
    main()
