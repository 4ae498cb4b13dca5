"""The locustfile as its users run it: alone, on several processes, against good and bad servers."""

import json
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

import pytest

from benchmarks.load.stats import SLICE_SECONDS
from tests.benchmarks.load.headless_locust import (
    LOCUST,
    SECONDS,
    answered,
    locust,
    wait_until_it_sends,
)
from tests.conftest import free_port, python_environment, run
from tests.servers.live import Server


@pytest.fixture
def host(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_the_mix_is_what_it_sends_by_itself(host: str, work: Path, tmp_path: Path) -> None:
    record, printed = locust(host, work, "-u", "4", "-r", "4", folder=tmp_path)
    assert set(record.tallies) == {f"predict x {rows}" for rows in (1, 8, 32, 64, 256)}
    assert record.errors == {}
    assert record.total(lambda tally: tally.failures) == 0
    (busy,) = record.processes.values()
    assert 1.4 < busy.ended - busy.began < 3
    assert 0 < busy.share < 1.2
    for name, tally in record.tallies.items():
        assert tally.requests == tally.latencies.get_total_count()
        assert abs(tally.requests - tally.answered) <= 4  # those under way at either end
        assert f"{name}: {tally.requests} right, 0 failed" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("users", ["OipBytes256", "Tfserving8", "NoOp"])
def test_a_class_for_each_load(host: str, work: Path, tmp_path: Path, users: str) -> None:
    record, _ = locust(host, work, "-u", "2", "-r", "2", users, folder=tmp_path)
    (name,) = record.tallies
    dialect, rows = re.fullmatch(r"([A-Z].*?)(\d*)", users).groups()  # type: ignore[union-attr]
    named = f"{re.sub('(?<!^)(?=[A-Z])', '-', dialect).lower()} x {rows}"
    assert name == (named if rows else "no-op")
    assert record.tallies[name].requests > 10
    assert record.errors == {}


def test_a_window_is_as_long_as_it_says(host: str, work: Path, tmp_path: Path) -> None:
    """Timers of gevent are early by as long as its loop was busy before."""
    busy = ("-f", Path(__file__).parent / "busy_locustfile.py")
    record, _ = locust(host, work, *map(str, busy), "-u", "1", "Predict1", folder=tmp_path)
    (tally,) = record.tallies.values()
    (process,) = record.processes.values()
    last = round((process.ended - process.began) / SLICE_SECONDS)
    assert last >= 6  # 1.5 s, as was asked for
    assert max(tally.slices) in (last - 1, last)


def test_one_master_and_two_workers(host: str, work: Path, tmp_path: Path) -> None:
    port = str(free_port())
    common = [*map(str, LOCUST), "--data", str(work / "subset.npz")]
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
        record, _ = locust(host, work, *master, "Predict8", folder=tmp_path)
    finally:
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(timeout=30)
            worker.kill()
    (tally,) = record.tallies.values()
    assert len(record.processes) == 2
    assert tally.rows == 8
    assert tally.failures == 0
    assert tally.requests == tally.latencies.get_total_count() > 100


def test_processes_of_one_machine(host: str, work: Path, tmp_path: Path) -> None:
    port = str(free_port())
    processes = ("--processes", "2", "--master-bind-port", port, "--master-port", port)
    record, _ = locust(host, work, *processes, "-u", "2", "-r", "2", "Predict1", folder=tmp_path)
    assert len(record.processes) == 2
    assert record.tallies["predict x 1"].requests > 100


class _Bad(BaseHTTPRequestHandler):
    """Knows all digits in batches; of one that is alone it says that it is a 1, or nothing good."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer({"inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 784]}]})

    def do_POST(self) -> None:
        images = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["images"]
        kind, labels = self.server.kind, self.server.labels  # type: ignore[attr-defined]
        known = [labels[tuple(image)] for image in images]
        if len(known) == 1 and kind == "hangs":
            time.sleep(60)
        if len(known) == 1 and kind == "wrong":
            known = [1]
        status = 202 if len(known) == 1 and kind == "accepted" else 200
        self._answer({"predictions": known, "model": "mnist"}, status)

    def _answer(self, document: object, status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bad(work: Path) -> Iterator[ThreadingHTTPServer]:
    from benchmarks.load import golden_rows

    known = golden_rows.read(work / "subset.npz")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bad)
    server.daemon_threads = True
    pairs = zip(known.images.tolist(), known.labels.tolist(), strict=True)
    server.labels = {tuple(image): label for image, label in pairs}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.socket.close()


@pytest.mark.parametrize(
    ("kind", "error"), [("wrong", "1 of 1 rows are wrong"), ("accepted", "status 202")]
)
def test_a_bad_answer_is_a_failure(
    bad: ThreadingHTTPServer, kind: str, error: str, work: Path, tmp_path: Path
) -> None:
    bad.kind = kind  # type: ignore[attr-defined]
    host = f"http://127.0.0.1:{bad.server_port}"
    record, printed = locust(host, work, "-u", "1", "-r", "1", "Predict1", folder=tmp_path)
    (tally,) = record.tallies.values()
    assert tally.failures > tally.requests
    assert (tally.requests > 0) == (kind == "wrong")  # some digits are a 1
    assert tally.failures == tally.latencies.get_total_count() - tally.requests
    assert set(record.errors) == {error}
    assert error in printed


def test_a_request_without_an_answer_is_a_failure(
    bad: ThreadingHTTPServer, work: Path, tmp_path: Path
) -> None:
    bad.kind = "hangs"  # type: ignore[attr-defined]
    host = f"http://127.0.0.1:{bad.server_port}"
    load = ("-u", "1", "-r", "1", "--stop-timeout", "30", "Open", "--rate", "20", "--rows", "1")
    record, _ = locust(host, work, *load, folder=tmp_path)
    (tally,) = record.tallies.values()
    assert tally.requests == 0
    assert 10 < tally.failures == tally.latencies.get_total_count() < 60
    assert tally.latencies.get_min_value() >= 19_000_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "http://127.0.0.1:9"], "no load is sent: http://127.0.0.1:9/v2/models/mnist: "),
        (["--data", "nowhere.npz"], "no load is sent: nowhere.npz"),
        (["--model", "other"], "/v2/models/other answers 404"),
        (
            ["--record", "nowhere/record.json"],
            "--record nowhere/record.json: there is no such folder",
        ),
        (["--rate", "0"], "argument --rate: expected a number above 0, got 0"),
    ],
)
def test_what_can_not_be_loaded_is_told(
    host: str, work: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    command = [*LOCUST, "--headless", "--host", host, "--data", work / "subset.npz", *SECONDS]
    done = run(*command, *arguments, cwd=tmp_path, env=python_environment(), timeout=60)
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
def test_ctrl_c_ends_it_with_what_it_has(
    processes: tuple[str, ...], server: Server, host: str, work: Path, tmp_path: Path
) -> None:
    before = answered(server)
    command = [*map(str, LOCUST), "--headless", "--host", host, "--warm-up", "0", *processes]
    with subprocess.Popen(
        [*command, "--data", str(work / "subset.npz"), "-u", "2", "-r", "2", "Predict1"],
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
    found = re.search(r"predict x 1: (\d+) right, 0 failed  p50 ", printed)
    assert found, printed
    assert 0.5 < int(found[1]) / (answered(server) - before) <= 1
