"""Conditions of a promotion, and the way back through earlier ones."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from bundle.manifest import Dataset, Manifest
from bundle.measurements import Parity, Quantization
from export.errors import ExportError
from export.registry import gate, history
from export.registry.gate import Limits
from export.registry.history import AliasChange
from export.registry.paired_rows import PairedRows
from tests.bundle.example import MANIFEST

GOOD = dataclasses.replace(
    MANIFEST,
    version=2,
    quantization=None,
    metrics={"test_accuracy": 0.98},
    parity=Parity(rows=10, max_abs_difference=1e-7, top1_agreement=1.0),
)


def changed(**changes: Any) -> Manifest:
    return dataclasses.replace(GOOD, **changes)


FAR = Parity(rows=10, max_abs_difference=0.1, top1_agreement=0.99)
INT8 = Quantization(
    method="int8 static", accuracy_loss=0.0, bytes_before=9, us_per_row_before={"1": 1.0}
)
CHAMPION = changed(version=1, metrics={"test_accuracy": 0.981})


@pytest.mark.parametrize(
    ("candidate", "champion", "tags", "lacks"),
    [
        (GOOD, None, {}, []),
        (GOOD, CHAMPION, {}, []),  # just at the margin
        (changed(parity=FAR), None, {}, ["parity: largest difference 1.00e-01, at most 1e-05"]),
        (changed(parity=None), None, {}, ["parity: its manifest has no comparison"]),
        (changed(parity=FAR, quantization=INT8), CHAMPION, {}, []),
        (changed(parity=None, run_id=None), None, {}, []),  # made elsewhere
        (changed(metrics={}), CHAMPION, {}, ["accuracy: unknown; version 1 has 98.10%"]),
        (GOOD, changed(metrics={}), {}, []),
        (
            changed(dataset=Dataset(name="new", sha256="2" * 64)),
            CHAMPION,
            {},
            ["accuracy: 98.00% and version 1's 98.10% are on different data sets, new 2222222"],
        ),
        (GOOD, None, {"load_p99_ms": "10"}, []),
        (
            changed(metrics={"test_accuracy": 0.4}),
            None,
            {},
            ["accuracy: 40.00 %; the minimum is 50 % (guessing)"],
        ),
        (GOOD, None, {"load_p99_ms": "7 ms"}, ["p99: the tag load_p99_ms is '7 ms', not a number"]),
        (GOOD, None, {"load_p99_ms": "10.01"}, ["p99: 10.01 ms in its load test; the limit is 10"]),
        (
            changed(parity=FAR, metrics={"test_accuracy": 0.9}),
            CHAMPION,
            {},
            ["parity: ", "accuracy: 90.00% is 8.10 points worse than the 98.10% of version 1"],
        ),
    ],
)
def test_what_a_version_lacks(
    candidate: Manifest, champion: Manifest | None, tags: dict[str, str], lacks: list[str]
) -> None:
    tags = tags or {"load_p99_ms": "1"}
    found = gate.failures(candidate, champion, tags, Limits(margin=0.1, p99_ms=10))
    assert len(found) == len(lacks)
    for reason, beginning in zip(found, lacks, strict=True):
        assert reason.startswith(beginning)


def test_accuracy_cannot_fall_by_the_margin_with_each_promotion() -> None:
    def at(accuracy: float, version: int) -> Manifest:
        return changed(version=version, metrics={"test_accuracy": accuracy})

    best, champion = at(0.981, 1), at(0.98, 2)
    (lack,) = gate.failures(at(0.979, 3), champion, {}, Limits(margin=0.1), [best])
    assert lack == (
        "accuracy: 97.90% is 0.20 points worse than the 98.10% of version 1; the margin is 0.1"
    )
    assert gate.failures(at(0.98, 3), champion, {}, Limits(margin=0.1), [best]) == []
    other = dataclasses.replace(best, dataset=Dataset(name="new", sha256="2" * 64))
    assert gate.failures(at(0.979, 3), champion, {}, Limits(margin=0.1), [other]) == []


@pytest.mark.parametrize(
    ("accuracy", "paired", "lack"),
    [
        (0.9805, PairedRows(1, lost=8, gained=3, p=0.23), None),
        (0.9805, PairedRows(1, lost=3, gained=18, p=0.0015), None),
        (
            0.9805,
            PairedRows(1, lost=18, gained=3, p=0.0015),
            "accuracy: within the margin, but 18 test rows are right only with version 1 and 3 only"
            " with this one (McNemar's test: p = 0.0015)",
        ),
        (
            0.979,
            PairedRows(1, lost=8, gained=3, p=0.2266),
            "accuracy: 97.90% is 0.20 points worse than the 98.10% of version 1; the margin is 0.1;"
            " 8 test rows are right only with version 1 and 3 only with this one (McNemar's test:"
            " p = 0.23)",
        ),
    ],
)
def test_a_version_must_not_be_significantly_worse(
    accuracy: float, paired: PairedRows, lack: str | None
) -> None:
    candidate = changed(metrics={"test_accuracy": accuracy})
    found = gate.failures(candidate, CHAMPION, {}, Limits(margin=0.1), paired=paired)
    assert found == ([lack] if lack else [])


def test_a_lowest_accuracy() -> None:
    limits = Limits(min_accuracy=98.5)
    (lack,) = gate.failures(GOOD, None, {}, limits)
    assert lack == "accuracy: 98.00 %; the minimum is 98.5 %"
    (lack,) = gate.failures(changed(metrics={}), None, {}, limits)
    assert lack == "accuracy: unknown; the minimum is 98.5 %"
    assert gate.failures(GOOD, None, {}, Limits(min_accuracy=98)) == []


REGRESSION = changed(task="regression", metrics={"test_rmse": 50.0, "test_r2": 0.4})


def test_a_regression_is_judged_by_its_rmse() -> None:
    def at(rmse: float, version: int) -> Manifest:
        metrics = {"test_rmse": rmse, "test_r2": 0.4}
        return dataclasses.replace(REGRESSION, version=version, metrics=metrics)

    best, champion = at(50, 1), at(50.4, 2)
    (lack,) = gate.failures(at(51, 3), champion, {}, Limits(margin=1), [best])
    assert lack == "RMSE: 51 is 2.00 % worse than the 50 of version 1; the margin is 1"
    assert gate.failures(at(50.5, 3), champion, {}, Limits(margin=1), [best]) == []
    assert gate.failures(at(40, 3), champion, {}, Limits(margin=0), [best]) == []
    (lack,) = gate.failures(at(51, 3), None, {}, Limits(max_rmse=50.9))
    assert lack == "RMSE: 51; the maximum is 50.9"
    assert gate.failures(at(51, 3), None, {}, Limits(max_rmse=51)) == []
    (lack,) = gate.failures(GOOD, None, {}, Limits(max_rmse=1))
    assert lack == "RMSE: unknown; the maximum is 1"


def test_a_regression_must_beat_the_mean() -> None:
    worse = dataclasses.replace(REGRESSION, metrics={"test_rmse": 50.0, "test_r2": -3.0})
    (lack,) = gate.failures(worse, None, {}, Limits())
    assert lack == "RMSE: 50; always predicting the mean gives 25"


def test_without_a_load_test_no_bound_of_it_is_met() -> None:
    assert gate.failures(GOOD, None, {}, Limits()) == []
    (lack,) = gate.failures(GOOD, None, {}, Limits(p99_ms=10))
    assert lack.startswith("p99: unknown; python -m benchmarks run")


def entries(*steps: tuple[str, int, int | None]) -> list[AliasChange]:
    """Of (p)romotions and (r)ollbacks of champion, between changes of another alias."""
    actions = {"p": "promote", "r": "rollback"}
    made = []
    for action, version, before in steps:
        known = {"time": "", "action": actions[action], "version": version, "before": before}
        made += [
            AliasChange(alias="champion", **known),
            AliasChange(alias="canary", **known | {"version": 9}),
        ]
    return made


@pytest.mark.parametrize(
    ("steps", "version", "before"),
    [
        ([], 1, None),
        ([("p", 1, None)], 1, None),
        ([("p", 1, None), ("p", 2, 1)], 2, 1),
        ([("p", 1, None), ("p", 2, 1), ("p", 3, 2), ("r", 2, 3)], 2, 1),
        ([("p", 1, None), ("p", 2, 1), ("r", 1, 2)], 1, None),
        ([("p", 1, None), ("p", 2, 1), ("r", 1, 2), ("p", 3, 1)], 3, 1),
        ([("p", 2, 1)], 2, 1),  # 1 got it in another way
        ([("p", 1, None), ("p", 2, 1)], 5, 2),  # 5 got it in another way
        ([("p", 1, None), ("p", 1, 1)], 1, None),
        ([("p", 1, None), ("p", 2, 1), ("p", 1, 2)], 1, 2),
    ],
)
def test_the_version_before(
    steps: list[tuple[str, int, int | None]], version: int, before: int | None
) -> None:
    assert history.before(entries(*steps), "champion", version, range(10)) == before


def test_the_version_before_that_is_still_there() -> None:
    made = entries(("p", 1, None), ("p", 2, 1), ("p", 3, 2))
    assert history.before(made, "champion", 3, [1, 3]) == 1
    assert history.before(made, "champion", 3, [3]) is None


def test_entries_are_read_as_they_were_noted(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    made = [
        AliasChange(
            time=history.now(), action="promote", alias="a", version=n, before=None, forced=("f",)
        )
        for n in (1, 2)
    ]
    for entry in made:
        history.append(tmp_path, "m", entry)
    assert history.read(tmp_path, "m") == made
    assert history.read(tmp_path, "other") == []


def test_a_line_that_was_cut_off_is_no_promotion(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/promotions.jsonl").write_text('{"time": "2026-')
    entry = AliasChange(time=history.now(), action="promote", alias="a", version=2, before=1)
    history.append(tmp_path, "m", entry)
    assert history.read(tmp_path, "m") == [entry]


@pytest.mark.parametrize("text", ['{"time": ""}', "[1]", "3"])
def test_a_history_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/promotions.jsonl").write_text(text + "\n")
    with pytest.raises(ExportError, match="not a history of promotions"):
        history.read(tmp_path, "m")
