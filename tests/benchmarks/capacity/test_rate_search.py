"""The search, the law and the samples by themselves, and all of it once on a real server."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.arguments import milliseconds
from benchmarks.capacity import rate_search, service, usl
from benchmarks.capacity.measure import Measured
from benchmarks.capacity.rate_attempt import Probe
from benchmarks.capacity.service import Alone
from benchmarks.load.percentiles import Percentile
from benchmarks.load.stats import Tally
from tests.conftest import ROOT, python_environment, run


@pytest.mark.parametrize("guess", [10.0, 900.0, 1000.0, 5000.0, 100_000.0])
def test_the_search_finds_the_edge_from_wherever_it_begins(guess: float) -> None:
    tried: list[float] = []

    def holds(rate: float) -> bool:
        tried.append(rate)
        return rate <= 1000

    found = rate_search.highest(holds, guess)
    assert 1000 / (1 + rate_search.TOLERANCE) <= found <= 1000
    assert len(tried) <= rate_search.MOST_PROBES


def test_a_search_where_nothing_holds_ends() -> None:
    assert rate_search.highest(lambda rate: False, 100) == 0


PERCENTILE = Percentile(0.99, 18.0, 17.0, 19.5, 900)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"failures": 1}, False),
        ({"p99": None}, False),
        ({"p99": Percentile(0.99, 18.0, 17.0, 20.1, 900)}, False),
        ({"reached": 930.0}, False),
        ({"reached": 930.0, "due": 960.0}, True),  # chance sent fewer
    ],
)
def test_what_holds(change: dict[str, object], holds: bool) -> None:
    plain = {"rate": 1000.0, "due": 1000.0, "reached": 990.0, "p99": PERCENTILE, "failures": 0}
    made = Probe(**{**plain, "generator_share": 0.5, "cpu": 1e-4, **change})  # type: ignore[arg-type]
    assert made.holds(20.0) == holds


def probe(rate: float, failures: int = 0, generator_share: float = 0.5) -> Probe:
    return Probe(rate, rate, rate, PERCENTILE, failures, generator_share, 1e-4)


def test_the_best_probe_is_that_of_the_median_search() -> None:
    searches = [
        [probe(100), probe(150, failures=1), probe(120)],
        [probe(100), probe(150), probe(200, failures=3)],
        [probe(120, failures=1), probe(110)],
    ]
    assert Measured(searches, found=[120, 150, 110]).best is searches[0][2]


@pytest.mark.parametrize(("share", "lacks"), [(0.5, False), (0.95, True)])
def test_a_search_is_the_generators_where_that_was_busy_at_the_next_rate(
    share: float, lacks: bool
) -> None:
    searches = [[probe(300, 9, 0.99), probe(100), probe(200, 1, share)], [probe(100)]]
    assert Measured(searches, found=[100, 100]).generator_lacks == lacks


def test_the_law_finds_its_own_parameters() -> None:
    known = usl.Law(1000, 0.05, 0.002, 1)
    numbers = [1, 2, 4, 8, 16, 32]
    found = usl.fit(numbers, [known.rate(number) for number in numbers])
    assert (found.alone, found.contention, found.coherency) == (
        pytest.approx(1000, rel=0.01),
        pytest.approx(0.05, abs=0.002),
        pytest.approx(0.002, abs=0.0002),
    )
    assert found.r_squared == pytest.approx(1)
    assert found.best == pytest.approx(math.sqrt(0.95 / 0.002), rel=0.05)
    assert usl.fit([1, 2, 3], [10, 20, 30]).best > 100
    with pytest.raises(ValueError, match="three parameters need three points, not 2"):
        usl.fit([1, 2, 2], [1, 2, 2])


def test_work_is_cpu_time_spread_as_latencies_are() -> None:
    kept = Tally(1)
    for latency in (0.002, 0.004):
        for _ in range(100):
            kept.add(latency, right=True)
    one = service.alone(kept, cpu_seconds=0.3)
    assert one.cpu == pytest.approx(0.0015)
    made = service.drawn({8: one}, "8", cpu=0.0012)
    assert made.seconds.mean() == pytest.approx(0.0012)
    assert np.unique(made.seconds.round(5)).tolist() == [0.0008, 0.0016]
    # 3 ms on average, of which 1.5 are work: of each the half is beyond it.
    assert np.unique(made.beyond.round(5)).tolist() == [0.001, 0.002]


def test_the_mix_draws_each_size_by_its_weight() -> None:
    sizes = {rows: Alone(np.array([rows / 1000]), rows / 1000) for rows in (1, 8, 32, 64, 256)}
    made = service.drawn(sizes, "mix", cpu=0.0261)
    assert made.seconds.mean() == pytest.approx(0.0261)
    assert (made.seconds.round(6) == 0.001).mean() == 0.5
    assert (made.seconds.round(6) == 0.256).mean() == 0.05
    assert made.beyond.max() == 0


@pytest.mark.parametrize(("text", "meant"), [("20ms", 20), ("0.1s", 100), ("7", 7), ("2.5ms", 2.5)])
def test_times_on_the_command_line(text: str, meant: float) -> None:
    assert milliseconds(text) == meant


def test_the_whole_command(repository: Path, work: Path, tmp_path: Path) -> None:
    command = [ROOT / ".venv/bin/python", "-m", "benchmarks", "capacity", "--models", repository]
    command += [
        "--data",
        work / "subset.npz",
        "--p99",
        "0.5s",
        "--searches",
        "1",
        "--seconds",
        "0.5",
    ]
    command += ["--rows", "64", "--target-rps", "1000000", "--out", tmp_path / "capacity.json"]
    done = run(*command, cwd=tmp_path, env=python_environment(), timeout=240)
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "capacity.json").read_text())
    (found,) = document["found"]
    held = [probe for probe in document["searches"][0] if probe["rate"] == found]
    assert held[0]["failures"] == 0
    assert held[0]["p99"]["high"] <= 500
    assert list(document["users"]) == ["1", "2", "4", "8", "16", "32"]
    assert list(document["workers"]) == ["1", "2", "3", "4"]
    (plan,) = document["plans"]
    assert plan["needed"] == math.ceil(1e6 / (found * 0.7) - 1e-9)
    assert "holds" in done.stdout
    assert "1,000,000" in done.stdout
