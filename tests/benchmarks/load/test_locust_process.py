"""Locust as our commands run it."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load import locust_process
from benchmarks.load.locust_process import Load, Target
from benchmarks.run.grid_point import windows
from benchmarks.system import affinity
from tests.servers.live import Server

RATE = 300.0


@pytest.fixture
def target(server: Server, work: Path) -> Target:
    return Target(f"http://127.0.0.1:{server.port}", "mnist", work / "subset.npz")


@pytest.mark.parametrize("users", [1, 3])
def test_a_process_for_each_cpu_that_has_a_user(target: Target, users: int) -> None:
    cpus = affinity.everywhere().generator[:2]
    load = Load("Predict1", users=users, warm_up=0.5, measure=1.0)
    record = locust_process.run(target, load, cpus)
    assert len(record.processes) == min(users, len(cpus))
    assert record.errors == {}
    assert record.tallies["predict x 1"].requests > 100


def test_processes_share_a_rate(target: Target) -> None:
    load = Load("Open", users=2, rate=RATE, rows="1", warm_up=0.5, measure=2.0)
    record = locust_process.run(target, load, affinity.everywhere().generator[:2])
    began, ended = windows(record)
    answered = record.total(lambda tally: tally.answered) / (ended - began)
    assert answered == pytest.approx(RATE, rel=0.25)  # 600 at random: 0.04 is one deviation


@pytest.mark.parametrize("users", [1, 2])
def test_why_no_load_was_sent_is_told(target: Target, tmp_path: Path, users: int) -> None:
    nowhere = replace(target, data=tmp_path / "nowhere.npz")
    load = Load("Predict1", users=users, warm_up=0.5, measure=1.0)
    with pytest.raises(BenchmarkError, match=r"no load is sent: .*nowhere\.npz"):
        locust_process.run(nowhere, load, affinity.everywhere().generator)
