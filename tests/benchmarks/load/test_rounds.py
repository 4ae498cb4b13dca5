"""The measuring itself: on a real server, that what is counted is what happened."""

import json

import pytest

from benchmarks.load import rounds, wrk
from benchmarks.load.protocols import Request
from benchmarks.load.rounds import FailedRequestsError, Measurement, Shape, Target
from benchmarks.system.servers import Server
from tests.conftest import Digits
from tests.servers.live import Server as LiveServer


def body(digits: Digits, rows: int) -> bytes:
    return json.dumps({"images": digits.images[:rows].tolist()}).encode()


def asked(body: bytes) -> Request:
    return Request("/predict", body)


def test_wrk_counts_answers_and_errors(server: LiveServer, digits: Digits) -> None:
    url = f"http://127.0.0.1:{server.port}/predict"
    good = wrk.run(url, body(digits, 2), connections=2, seconds=1)
    assert good.errors == 0
    assert good.requests > 10
    assert 0 < good.p50 <= good.p99 < 10_000
    bad = wrk.run(url, b"no JSON", connections=2, seconds=1)
    assert bad.errors == bad.requests > 10


def test_a_round_counts_rows_and_the_workers_cpu_time(server: LiveServer, digits: Digits) -> None:
    import psutil

    class Running(Server):
        def tree(self) -> list[psutil.Process]:
            main = psutil.Process(server.process.pid)
            return [main, *main.children(recursive=True)]

    running = Running("onnxlet", [])
    running.base = f"http://127.0.0.1:{server.port}"
    measured = rounds.measure(Target(running, asked(body(digits, 8))), Shape(8, 2), seconds=1)
    assert measured.rows_per_second > 80
    assert 0 < measured.cpu_per_row < 100_000
    assert sum(measured.shares) == pytest.approx(1)
    with pytest.raises(FailedRequestsError, match=r"onnxlet, 8 x 2: .* requests failed"):
        rounds.measure(Target(running, asked(b"no JSON")), Shape(8, 2), seconds=1)


def test_ratios_are_of_the_same_round() -> None:
    def rate(value: float) -> Measurement:
        return Measurement(rows_per_second=value, cpu_per_row=1, p99=1, shares=(1,))

    ours, theirs = [rate(20), rate(300), rate(90)], [rate(10), rate(100), rate(30)]
    assert rounds.ratio(ours, theirs, lambda measured: measured.rows_per_second) == 3
