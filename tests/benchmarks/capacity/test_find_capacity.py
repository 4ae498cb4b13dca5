"""The search for the highest rate, by itself and once on a real server."""

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import benchmark_arguments
from benchmarks.benchmark_arguments import milliseconds
from benchmarks.capacity import find_capacity, rate_attempt, rate_search, replica_plan
from benchmarks.capacity.find_capacity import Search
from benchmarks.capacity.rate_attempt import Attempt
from benchmarks.capacity.replica_plan import Replica
from benchmarks.errors import BenchmarkError
from benchmarks.load.locust_process import Load, Target
from benchmarks.load.percentiles import Percentile
from benchmarks.system import affinity

P99 = Percentile(18.0, 17.0, 19.5, 900)
KEPT_UP = Attempt(1000.0, 1000.0, 990.0, P99, 0, generator_share=0.5, cpu_seconds=1e-4)


REPLICA = Replica(capacity=1000.0, workers=2, memory_mib=90.0, body_bytes=50_000, rows=32)


@pytest.mark.parametrize("guess", [10.0, 900.0, 1000.0, 5000.0, 100_000.0])
def test_the_search_finds_the_limit_from_wherever_it_begins(guess: float) -> None:
    tried: list[float] = []

    def sustains(rate: float) -> bool:
        tried.append(rate)
        return rate <= 1000

    found = rate_search.highest(sustains, guess, tolerance=0.03)
    assert 1000 / 1.03 <= found <= 1000
    assert len(tried) <= rate_search.MOST_RATES


def test_a_search_that_finds_nothing_ends() -> None:
    assert rate_search.highest(lambda rate: False, 100, 0.03) == 0


@pytest.mark.parametrize(
    ("change", "sustained"),
    [
        ({}, True),
        ({"failures": 1}, False),
        ({"p99": None}, False),
        ({"p99": replace(P99, high=20.1)}, False),
        ({"answered": 930.0}, False),
        ({"answered": 930.0, "due": 960.0}, True),  # fewer requests arrived
    ],
)
def test_an_attempt_sustains_its_rate(change: dict[str, Any], sustained: bool) -> None:
    assert replace(KEPT_UP, **change).sustained(20.0) == sustained


def search(attempts: int = 3) -> Search:
    load = Load("Open", rows="1", measure=0.5)
    target = Target("", "mnist", Path())
    return Search(target, None, load, (0,), 20.0, attempts, lambda _: None)  # type: ignore[arg-type]


def test_all_attempts_must_sustain_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the attempts at a rate above 500 every third fails, and above 1,000 all do."""
    made: list[float] = []

    def attempt(_target: object, _server: object, load: Load, _cpus: object) -> Attempt:
        made.append(load.rate)
        assert load.measure >= 2 * 459 / load.rate
        fails = load.rate > 1000 or (load.rate > 500 and made.count(load.rate) == 3)
        return replace(KEPT_UP, rate=load.rate, failures=int(fails))

    monkeypatch.setattr(rate_attempt, "attempt", attempt)
    monkeypatch.setattr(Search, "_closed_rate", lambda _: 2000.0)
    strict = search()
    found = strict.highest(0.03)
    assert 500 / 1.03 <= found <= 500
    assert [one.failures for one in strict.tried[found]] == [0, 0, 0]
    assert len(strict.tried[1400.0]) == 1  # the first attempt decides
    made.clear()
    assert search(attempts=2).highest(0.03) > 900


def test_a_search_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_attempt, "attempt", lambda *_: replace(KEPT_UP, failures=1))
    monkeypatch.setattr(Search, "_closed_rate", lambda _: 2000.0)
    with pytest.raises(BenchmarkError, match="not even 10 requests/s keep a p99 of 20 ms"):
        search().highest(0.03)


@pytest.mark.parametrize(("share", "saturated"), [(0.5, False), (0.95, True)])
def test_a_saturated_generator_is_reported(share: float, saturated: bool) -> None:
    made = search(attempts=1)
    beyond = replace(KEPT_UP, rate=1030.0, failures=9, generator_share=share)
    far = replace(KEPT_UP, rate=3000.0, failures=9, generator_share=0.99)
    made.tried |= {3000.0: [far], 1000.0: [KEPT_UP], 1030.0: [beyond]}
    chosen = benchmark_arguments.parse(["capacity", "--rows", "32"])
    lines = find_capacity._summary(made, REPLICA, chosen, affinity.halves())
    assert "sustains 1,000 requests/s within a p99 of 20 ms" in lines[0]
    assert "of 32 rows and 50.0 kB on average: 32,000 rows/s. It takes 90 MiB." in lines[0]
    assert "p99 18.00 (17.00 to 19.50) ms over 900 requests; 100 µs" in lines[2]
    assert ("no CPU left" in lines[-1]) == saturated


@pytest.mark.parametrize("target", [100, 700, 701, 1_000_000])
def test_a_plan(target: int) -> None:
    made = replica_plan.plan(target, replace(REPLICA, capacity=100), headroom=0.3)
    assert made.needed == math.ceil(target / 70)
    assert made.replicas == made.needed + 1
    assert made.cores == 2 * made.replicas
    assert made.memory_gib == pytest.approx(made.replicas * 90 / 1024)
    assert made.network_gbit == pytest.approx(target * 50_000 * 8 / 1e9)
    # All cores for an hour, by the millions of rows in this hour.
    assert made.core_hours == pytest.approx(made.cores / (target * 32 * 3600 / 1e6))


@pytest.mark.parametrize(("text", "meant"), [("20ms", 20), ("0.1s", 100), ("7", 7), ("2.5ms", 2.5)])
def test_times_on_the_command_line(text: str, meant: float) -> None:
    assert milliseconds(text) == meant


def test_the_whole_command(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "capacity.json"
    arguments = ["--models", str(repository), "--p99", "20s", "--attempts", "1", "--seconds", "1"]
    arguments += ["--tolerance", "0.9", "--rows", "64", "--target-rps", "1000000"]
    chosen = benchmark_arguments.parse(["capacity", *arguments, "--out", str(file)])
    find_capacity.run(chosen, Console(file=io.StringIO()))
    document = json.loads(file.read_text())
    capacity = document["capacity"]
    (made,) = [one for one in document["attempts"] if one["rate"] == capacity]
    assert made["failures"] == 0
    assert made["p99"]["high"] <= 20_000
    assert made["cpu_seconds"] > 0
    (plan,) = document["plans"]
    assert plan["needed"] == math.ceil(1e6 / (capacity * 0.7) - 1e-9)
    printed = capsys.readouterr().out
    assert "sustains" in printed
    assert "1,000,000" in printed
