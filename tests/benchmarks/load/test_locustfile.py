"""The locustfile as its users run it: alone, on several processes, against good and bad servers."""

import itertools
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest

from benchmarks.load.golden_rows import GoldenModel
from tests.benchmarks.load.headless_locust import (
    LOCUST,
    SECONDS,
    answered,
    locust,
    wait_until_it_sends,
)
from tests.conftest import free_port, python_environment, run
from tests.servers.live import Server


def test_the_mix_is_what_it_sends_by_itself(host: str, repository: Path, tmp_path: Path) -> None:
    stats, printed = locust(host, repository, "-u", "4", "-r", "4", folder=tmp_path)
    assert set(stats.by_request) == {f"predict x {rows}" for rows in (1, 8, 32, 64, 256)}
    assert stats.errors == {}
    assert {one.failures for one in stats.by_request.values()} == {0}
    (process,) = stats.processes.values()
    assert process.ended - process.began > 1.4
    assert 0 < process.share < 1.2
    for name, one in stats.by_request.items():
        assert one.requests == one.latencies.get_total_count()
        assert abs(one.requests - one.answered) <= 4  # those under way at either end
        assert f"{name}: {one.requests} correct, 0 failed" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("users", ["OipBinary256", "NoOp"])
def test_a_class_for_each_load(host: str, repository: Path, tmp_path: Path, users: str) -> None:
    stats, _ = locust(host, repository, "-u", "2", "-r", "2", users, folder=tmp_path)
    (name,) = stats.by_request
    protocol, rows = re.fullmatch(r"([A-Z].*?)(\d*)", users).groups()  # type: ignore[union-attr]
    named = f"{re.sub('(?<!^)(?=[A-Z])', '-', protocol).lower()} x {rows}"
    assert name == (named if rows else "no-op")
    assert stats.by_request[name].requests > 10
    assert stats.errors == {}


def test_a_window_is_as_long_as_it_says(host: str, repository: Path, tmp_path: Path) -> None:
    """Timers of gevent fire early by as long as its loop was busy before."""
    busy = ("-f", Path(__file__).parent / "busy_locustfile.py")
    stats, _ = locust(host, repository, *map(str, busy), "-u", "1", "Predict1", folder=tmp_path)
    (process,) = stats.processes.values()
    assert process.ended - process.began >= 1.5
    assert stats.by_request["predict x 1"].answered > 0


def test_one_master_and_two_workers(host: str, repository: Path, tmp_path: Path) -> None:
    port = str(free_port())
    common = [*map(str, LOCUST), "--models", str(repository)]
    workers = [
        subprocess.Popen(
            [*common, "--worker", "--master-port", port],
            cwd=tmp_path,
            env=python_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    master = ("--master", "--master-bind-port", port, "--expect-workers", "2", "-u", "4", "-r", "4")
    try:
        stats, _ = locust(host, repository, *master, "Predict8", folder=tmp_path)
    finally:
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(timeout=30)
            worker.kill()
    (one,) = stats.by_request.values()
    assert len(stats.processes) == 2
    assert one.rows == 8
    assert one.failures == 0
    assert one.requests == one.latencies.get_total_count() > 10


class _Bad(BaseHTTPRequestHandler):
    """Answers its first request correctly, and those after it as ``server.kind`` says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer({"versions": ["1"]})

    def do_POST(self) -> None:
        images = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))["images"]
        scores = [self.server.scores[tuple(image)] for image in images]  # type: ignore[attr-defined]
        first = next(self.server.answered) == 0  # type: ignore[attr-defined]
        kind = "" if first else self.server.kind  # type: ignore[attr-defined]
        if kind == "hangs":
            time.sleep(60)
        if kind == "wrong":
            scores = [[1 - score for score in row] for row in scores]
        self._answer({"probabilities": scores}, 202 if kind == "accepted" else 200)

    def _answer(self, document: object, status: int = 200) -> None:
        body = orjson.dumps(document)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bad(golden: GoldenModel) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bad)
    server.daemon_threads = True
    images, scores = golden.rows.inputs["image"], golden.rows.outputs["probabilities"]
    pairs = zip(images.tolist(), scores.tolist(), strict=True)
    server.scores = {tuple(image): row for image, row in pairs}  # type: ignore[attr-defined]
    server.answered = itertools.count()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.socket.close()


@pytest.mark.parametrize(
    ("kind", "error"), [("wrong", "1 of 1 rows are wrong"), ("accepted", "status 202")]
)
def test_a_bad_answer_is_a_failure(
    bad: ThreadingHTTPServer, kind: str, error: str, repository: Path, tmp_path: Path
) -> None:
    bad.kind = kind  # type: ignore[attr-defined]
    host = f"http://127.0.0.1:{bad.server_port}"
    stats, printed = locust(host, repository, "-u", "1", "-r", "1", "Predict1", folder=tmp_path)
    (one,) = stats.by_request.values()
    assert one.requests == 0
    assert one.failures == one.latencies.get_total_count() > 0
    assert set(stats.errors) == {error}
    assert error in printed


def test_a_request_without_an_answer_is_a_failure(
    bad: ThreadingHTTPServer, repository: Path, tmp_path: Path
) -> None:
    bad.kind = "hangs"  # type: ignore[attr-defined]
    host = f"http://127.0.0.1:{bad.server_port}"
    load = ("-u", "1", "-r", "1", "--stop-timeout", "30", "Open", "--rate", "20", "--rows", "1")
    stats, _ = locust(host, repository, *load, folder=tmp_path)
    (one,) = stats.by_request.values()
    assert one.requests == 0
    assert 0 < one.failures == one.latencies.get_total_count()
    assert one.latencies.get_min_value() >= 19_000_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "nowhere"], "no load is sent: no golden rows to send: nowhere/mnist/1"),
        (
            ["--record", "nowhere/stats.json"],
            "--record nowhere/stats.json: there is no such folder",
        ),
        (["--rate", "0"], "argument --rate: expected a number above 0, got 0"),
    ],
)
def test_what_can_not_be_loaded_is_reported(
    host: str, repository: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    command = [*LOCUST, "--headless", "--host", host, "--models", repository, *SECONDS]
    done = run(*command, *arguments, cwd=tmp_path, env=python_environment(), timeout=60)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_it_with_what_it_has(
    server: Server, host: str, repository: Path, tmp_path: Path
) -> None:
    before = answered(server)
    command = [
        *map(str, LOCUST),
        "--headless",
        "--host",
        host,
        "--warm-up",
        "0",
        "--processes",
        "2",
    ]
    with subprocess.Popen(
        [*command, "--models", str(repository), "-u", "2", "-r", "2", "Predict1"],
        cwd=tmp_path,
        env=python_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        wait_until_it_sends(server)
        time.sleep(2)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        printed = process.communicate(timeout=60)[0]
    found = re.search(r"predict x 1: (\d+) correct, 0 failed  p50 ", printed)
    assert found, printed
    assert 0 < int(found[1]) <= answered(server) - before
