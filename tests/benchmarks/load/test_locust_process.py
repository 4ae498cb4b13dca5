"""Locust as our commands run it."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load import locust_process
from benchmarks.load.locust_process import Load, Target
from benchmarks.system import affinity

RATE = 100.0


@pytest.fixture
def target(host: str, repository: Path) -> Target:
    return Target(host, "mnist", repository)


def test_a_process_for_each_cpu_that_has_a_user(target: Target) -> None:
    cpus = affinity.all_cpus().generator[:2]
    load = Load("Predict1", users=3, warm_up=0.5, measure=1.0)
    stats = locust_process.run(target, load, cpus)
    assert len(stats.processes) == len(cpus)
    assert stats.errors == {}
    assert stats.by_request["predict x 1"].requests > 10


def test_processes_share_a_rate(target: Target) -> None:
    load = Load("Open", users=2, rate=RATE, rows="1", warm_up=0.5, measure=2.0)
    stats = locust_process.run(target, load, affinity.all_cpus().generator[:2])
    assert stats.window
    began, ended = stats.window
    due = stats.latencies.get_total_count() / (ended - began)
    assert due == pytest.approx(RATE, rel=0.4)  # 200 at random: 0.07 is one standard deviation


def test_why_no_load_was_sent_is_reported(target: Target, tmp_path: Path) -> None:
    load = Load("Predict1", users=2, warm_up=0.5, measure=1.0)
    nowhere = replace(target, models=tmp_path)
    with pytest.raises(BenchmarkError, match="no load is sent: no golden rows to send: "):
        locust_process.run(nowhere, load, affinity.all_cpus().generator)
