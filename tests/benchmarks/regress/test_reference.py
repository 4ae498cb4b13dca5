"""What the guard says of ratios, and that each committed one is measured."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.load.protocols import DIALECTS
from benchmarks.load.rounds import Measurement
from benchmarks.regress import check_regressions, ratios
from benchmarks.regress.check_regressions import FILE, Spread, Verdict, verdicts

OWN = (
    "CPU a row, of FastAPI's",
    "rows/s, of FastAPI's",
    "p99, of FastAPI's",
    "CPU a row, of the same in process",
)


def test_only_what_moved_by_more_than_both_noises_is_told() -> None:
    measured = {"quiet": [1.0, 1.01, 1.02], "noisy": [0.8, 1.3, 1.0], "new": [2.0]}
    before = {"quiet": Spread(0.9, 0.85, 0.95), "noisy": Spread(0.7, 0.6, 0.85)}
    found = verdicts(measured, before)
    assert found[0] == Verdict("quiet", Spread(1.01, 1.0, 1.02), before["quiet"])
    assert [one.moved for one in found] == [True, False, False]
    shown = check_regressions.table(found)
    assert list(shown.columns[4].cells) == ["[bold]moved by +12%[/]", "", ""]
    assert list(shown.columns[1].cells)[1:] == ["0.700 (0.600 to 0.850)", "–"]


def test_a_ratio_beyond_its_target_is_told() -> None:
    cpu, rate, other = "CPU a row, of FastAPI's, 1 x 16", "rows/s, of FastAPI's, 1 x 16", "other"
    good = verdicts({cpu: [0.32], rate: [3.0], other: [9.0]}, {})
    bad = verdicts({cpu: [0.33], rate: [2.99]}, {})
    assert [one.target for one in good] == ["<= 0.32", ">= 3", ""]
    assert [one.missed for one in good] == [False, False, False]
    assert [one.missed for one in bad] == [True, True]
    assert list(check_regressions.table(bad).columns[3].cells) == [
        "[bold]<= 0.32[/]",
        "[bold]>= 3[/]",
    ]


def test_targets_are_of_what_is_measured() -> None:
    kept = json.loads(FILE.read_text())["ratios"]
    assert {*ratios.AT_MOST, *ratios.AT_LEAST} <= set(kept)


def test_what_is_committed_is_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers and their loads are left out: it is about names."""

    def alternate(targets: Sequence[object], *_: object) -> list[list[Measurement]]:
        return [[Measurement(rows_per_second=1, cpu_per_row=1, p99=1, shares=(1,))]] * len(targets)

    for module, name in ((ratios.servers, "ours"), (ratios.peer_environment, "server")):
        monkeypatch.setattr(module, name, lambda *_: nullcontext())
    monkeypatch.setattr(ratios.rounds, "alternate", alternate)
    monkeypatch.setattr(ratios, "Floor", lambda *_: SimpleNamespace(measured=[2], measure=None))
    measured = ratios.measure(Path(), 1, 1, lambda _: None)
    kept = json.loads(FILE.read_text())["ratios"]
    assert set(kept) == set(measured)
    own = {f"{what}, {shape}" for what in OWN for shape in ratios.SHAPES}
    dialects = [name for name in DIALECTS if name != "predict"]
    outer = (ratios.SHAPES[0], ratios.SHAPES[-1])
    others = {f"CPU a row, {name} of predict's, {shape}" for name in dialects for shape in outer}
    faster = {f"rows/s, oip-bytes of predict's, {shape}" for shape in outer}
    assert set(kept) == own | others | faster
    for spread in kept.values():
        assert 0 < spread["low"] <= spread["median"] <= spread["high"] < 100
