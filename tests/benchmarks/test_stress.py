"""A server with more than enough to do, for a moment."""

import time
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.stress import pressure, soak
from benchmarks.stress.watch import Watch
from tests.live_server import Server as LiveServer

STEPS: list[str] = []


def step(what: object) -> None:
    STEPS.append(str(what))


def test_more_connections(repository: Path) -> None:
    kept, share, memory = pressure.loaded(repository, 1, 1, step)
    assert kept.what == "rows/s at 1 x 64, of those at 1 x 16"
    assert 0.2 < kept.measured < 5
    assert 0 < share.measured < 1
    assert 30 < memory.measured < 500


def test_health_is_told_under_load_and_beyond_it(repository: Path) -> None:
    busy = pressure.health(repository, 1, step)
    assert [line.what.split(" at ")[1] for line in busy] == ["1 x 64", "256 x 16"]
    slowest, refused = pressure.overrun(repository, 1, step)
    assert slowest.what.endswith("health answers at 256 x 300")
    assert refused.what.startswith("median of ")
    for line in (*busy, slowest, refused):
        assert 0.1 < line.measured < 20_000


def test_start_up_is_the_median(repository: Path) -> None:
    STEPS.clear()
    line = pressure.start_up(repository, 2, step)
    assert 0.05 < line.measured < 20
    assert STEPS == ["start", "start"]


def test_soaking_tells_memory(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "LOAD_SECONDS", 1)
    STEPS.clear()
    middle, swing = soak.soak(repository, 1 / 30, step)
    assert len(STEPS) == soak.steps(1 / 30) == 4
    assert 30 < middle.measured < 500
    assert 0 <= swing.measured < 1


def test_a_watch_has_every_status(server: LiveServer) -> None:
    with Watch(f"http://127.0.0.1:{server.port}/nowhere") as watch:
        while not watch.seen:
            time.sleep(0.01)
    assert watch.milliseconds(lambda status: status == 404)[0] > 0
    with pytest.raises(BenchmarkError, match=r"GET .*/nowhere: no such answer among \d+"):
        watch.milliseconds(lambda status: status == 200)
