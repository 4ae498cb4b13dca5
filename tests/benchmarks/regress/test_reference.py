"""The reference of ratios: bounds that unchanged code keeps in 49 of 50 runs."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.regress import check_regressions, reference
from benchmarks.regress.check_regressions import changed, findings, row
from benchmarks.regress.metrics import CPU, RATE, TARGETS, Result
from benchmarks.regress.reference import Bounds, Reference

RATIOS = 22
RUNS = 10


def runs(random: np.random.Generator, count: int) -> list[list[Result]]:
    """Runs of unchanged code: each ratio has noise of its own, and shares some with all others."""
    noise = 0.05 * random.normal(size=(count, RATIOS)) + 0.03 * random.normal(size=(count, 1))
    return [
        [Result("a / b", f"{number}", [float(np.exp(one))]) for number, one in enumerate(row)]
        for row in noise
    ]


def test_unchanged_code_is_reported_in_at_most_one_run_of_fifty() -> None:
    random, alarms, trials = np.random.default_rng(1), 0, 400
    for _ in range(trials):
        *made, new = runs(random, RUNS + 1)
        known = Reference()
        for run in made:
            known.add(run)
        bounds = known.bounds([one.key for one in new])
        alarms += any(changed(one, bounds) for one in new)
    # 8 of 400 on average; 16 or more would be three standard deviations away.
    assert 1 <= alarms < 16


def test_a_change_of_a_third_is_reported() -> None:
    *made, new = runs(np.random.default_rng(2), RUNS + 1)
    known = Reference()
    for run in made:
        known.add(run)
    slower = [Result("a / b", "0", [new[0].value * 1.5]), *new[1:]]
    bounds = known.bounds([one.key for one in slower])
    assert changed(slower[0], bounds)
    assert findings(slower, bounds)[0] == "changed: a / b: 0"
    assert findings(new, bounds) == ["nothing changed by more than its noise"]


def test_each_run_is_compared_with_the_others() -> None:
    known = Reference()
    for run in runs(np.random.default_rng(3), RUNS):
        known.add(run)
    assert known.false_alarms() == 0
    known.runs["a / b: 0"][4] *= 2
    assert known.false_alarms() == 1


def test_bounds_are_those_of_what_is_compared() -> None:
    known = Reference()
    for run in runs(np.random.default_rng(4), RUNS):
        known.add(run)
    (alone,) = known.bounds(["a / b: 0", "unknown"]).values()
    beside_others = known.bounds(list(known.runs))["a / b: 0"]
    assert beside_others.low < alone.low < alone.median < alone.high < beside_others.high


def test_a_reference_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FILE", tmp_path / "reference.json")
    assert reference.read() == Reference()
    made = Reference({"a / b: p99": [0.5, 0.75]}, "today")
    made.write()
    assert reference.read() == made
    (tmp_path / "reference.json").write_text(json.dumps({"runs": 5}))
    with pytest.raises(BenchmarkError, match=r"reference\.json is not a reference"):
        reference.read()


def test_changes_and_missed_targets_stand_out() -> None:
    scenario = "onnxlet / FastAPI, 1 x 16"
    assert TARGETS[scenario][CPU].bound == 0.32
    results = [
        Result(scenario, CPU, [0.3, 0.34, 0.33]),
        Result(scenario, RATE, [2.99]),
        Result("start", "seconds until ready", [0.2]),
    ]
    bounds = {results[0].key: Bounds(0.3, 0.25, 0.36), results[1].key: Bounds(4.0, 3.5, 4.5)}
    assert [row(one, bounds)[2:] for one in results] == [
        ["0.300 (0.250 to 0.360)", "0.33 (0.3 to 0.34)", "+10%", "[bold]<= 0.32 missed[/]"],
        ["4.000 (3.500 to 4.500)", "2.99", "[bold]-25%[/]", "[bold]>= 3 missed[/]"],
        ["", "0.2", "", "<= 1"],
    ]
    assert findings(results, bounds) == [
        f"changed: {scenario}: rows/s",
        f"misses its target of <= 0.32: {scenario}: CPU per row",
        f"misses its target of >= 3: {scenario}: rows/s",
    ]
    assert findings(results[2:], {}) == []
    assert check_regressions.missed(results[0])
