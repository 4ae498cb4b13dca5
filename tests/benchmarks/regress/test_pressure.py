"""A server with more than enough to do, for a moment."""

import re
import time
from pathlib import Path

import pytest

from benchmarks.fixtures import heavy_model
from benchmarks.regress import overload, pressure, soak
from benchmarks.regress.metrics import at_least, at_most, table
from benchmarks.system.prober import Watch
from tests.conftest import free_port
from tests.servers.live import Server as LiveServer

STEPS: list[str] = []


def step(what: object) -> None:
    STEPS.append(str(what))


def test_more_connections(repository: Path) -> None:
    kept, share, memory = pressure.loaded(repository, 1, 1, step)
    assert kept.what == "rows/s at 1 x 64, of those at 1 x 16"
    assert kept.measured > 0
    assert 0 < share.measured < 1
    assert memory.measured > 30  # a worker with onnxruntime is larger than that


def test_health_is_told_under_load_and_beyond_it(repository: Path) -> None:
    busy = pressure.health(repository, 1, step)
    for line, shape in zip(busy, ("1 x 64", "256 x 16"), strict=True):
        assert f"health answers at {shape}" in line.what
    slowest, refused, *median = pressure.overrun(repository, 1, step)
    assert "health answers at 256 x 300" in slowest.what
    assert re.fullmatch(r"refused \(429\) of \d+ requests at 256 x 300", refused.what)
    assert [line.what for line in median] == ["refused after, median"] * bool(refused.measured)
    for line in (*busy, slowest, *median):
        assert line.measured > 0


def test_start_up_is_the_median(repository: Path) -> None:
    STEPS.clear()
    line = pressure.start_up(repository, 2, step)
    assert line.measured > 0
    assert STEPS == ["start", "start"]


def test_soaking_tells_memory(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "LOAD_SECONDS", 1)
    STEPS.clear()
    middle, swing = soak.soak(repository, 1 / 30, step)
    assert len(STEPS) == soak.steps(1 / 30) == 4
    assert middle.measured > 30
    assert 0 <= swing.measured < 1


def test_an_overload_is_refused_and_forgotten() -> None:
    lines = {line.what: line for line in overload.overload(heavy_model.models(), 1 / 20, step)}
    assert lines["requests sent, of those it can answer"].measured > 2
    assert lines["answered with 200, of those"].measured > 0
    assert lines["answered after their deadline (504)"].measured == 0
    assert lines["connections that failed"].measured == 0
    assert lines["refused (429) after, median"].measured > 0
    assert lines["as quick as before after"].measured > 0


def test_a_watch_has_every_status(server: LiveServer) -> None:
    with Watch(f"http://127.0.0.1:{server.port}/nowhere") as watch:
        while not watch.seen:
            time.sleep(0.01)
    assert {status for status, _ in watch.seen} == {404}
    assert min(taken for _, taken in watch.seen) > 0


def test_a_watch_goes_on_where_nobody_answers() -> None:
    with Watch(f"http://127.0.0.1:{free_port()}/") as watch:
        while len(watch.seen) < 3:
            time.sleep(0.01)
    assert {status for status, _ in watch.seen} == {0}


def test_a_health_check_that_is_not_answered_falls_short() -> None:
    watch = Watch("", seen=[(200, 3.0), (0, 1.0), (503, 2.0)])
    line = pressure.slowest(watch, pressure.CROWD)
    assert line.what == "slowest of 3 health answers at 1 x 64, 2 of them not 200"
    assert (line.measured, line.met) == (3.0, False)


def test_verdicts() -> None:
    assert at_most("a", 1.0, 1.0).met
    assert not at_most("a", 1.1, 1.0).met
    assert at_least("a", 1.0, 1.0).met
    assert not at_least("a", 0.9, 1.0).met
    assert table([at_most("a", 1.1, 1.0, " s")]).row_count == 1
