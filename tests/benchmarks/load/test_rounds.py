"""Measuring servers in turn: what is counted is what happened."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.load import prepared_request, rounds
from benchmarks.load.golden_rows import GoldenModel
from benchmarks.load.protocols import Request
from benchmarks.load.rounds import FailedRequestsError, Measurement, Target
from benchmarks.load.shapes import Shape
from benchmarks.system import servers
from benchmarks.system.servers import Server

SHAPE = Shape(8, 2)


@pytest.fixture
def running(repository: Path) -> Iterator[Server]:
    with servers.onnxlet(repository, workers=1) as server:
        yield server


def test_rows_and_cpu_time_are_measured(running: Server, golden: GoldenModel) -> None:
    request = prepared_request.prepare("predict", golden.model, golden.rows, 8).request
    target = Target(running, request)
    (measured,) = rounds.alternate([target, target], SHAPE, 1, 1, lambda: None)[:1]
    (one,) = measured
    assert one.rows_per_second > 80
    assert 0 < one.cpu_per_row < 100_000
    assert sum(one.shares) == pytest.approx(1)
    assert 0 < one.generator_share < 1
    with pytest.raises(FailedRequestsError, match=r"onnxlet, 8 x 2: .* requests failed"):
        rounds.measure(Target(running, Request("/predict", b"not JSON")), SHAPE, 1, rate=1e6)


@pytest.mark.parametrize(("rate", "seconds"), [(1e6, 2), (100, 10), (1, 60)])
def test_a_slow_server_gets_time_for_a_p99(
    rate: float, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 requests per second give twice the 459 answers in 10 seconds."""
    asked: list[float] = []

    def run(*arguments: object, **_: object) -> None:
        asked.append(arguments[3])  # type: ignore[arg-type]
        raise InterruptedError

    monkeypatch.setattr(rounds.wrk, "run", run)
    server = SimpleNamespace(tree=SimpleNamespace(cpu_seconds_by_process=dict), base="")
    with pytest.raises(InterruptedError):
        rounds.measure(Target(server, Request("/", b"")), SHAPE, 2, rate)  # type: ignore[arg-type]
    assert asked == [seconds]


PLAIN = Measurement(rows_per_second=1, cpu_per_row=1, p99=1, shares=(1,), generator_share=0.1)


def test_ratios_are_of_the_same_round() -> None:
    ours = [replace(PLAIN, rows_per_second=value) for value in (20, 300, 90)]
    theirs = [replace(PLAIN, rows_per_second=value) for value in (10, 100, 30)]
    assert rounds.ratios(ours, theirs, rounds.ROWS_PER_SECOND) == [2, 3, 3]


def test_a_round_without_a_p99_has_no_ratio_and_no_median() -> None:
    lacking = replace(PLAIN, p99=None)
    assert rounds.ratios([PLAIN, lacking], [PLAIN, PLAIN], rounds.P99) == [1]
    assert rounds.ratios([PLAIN, PLAIN], [PLAIN, lacking], rounds.P99) == [1]
    assert rounds.median([PLAIN, lacking], rounds.P99) is None
    assert rounds.median([PLAIN, replace(PLAIN, p99=3)], rounds.P99) == 2
