"""What the guard says of ratios, and that each committed one is measured."""

import json

from benchmarks.guard import command, ratios
from benchmarks.guard.command import FILE, Verdict, verdicts
from benchmarks.load.dialect import DIALECTS


def test_only_what_moved_by_more_than_the_noise_is_told() -> None:
    measured = {"quiet": [1.0, 1.01, 1.02], "noisy": [0.8, 1.3, 1.0], "new": [2.0]}
    found = verdicts(measured, {"quiet": 0.9, "noisy": 0.9})
    assert found[0] == Verdict("quiet", 1.01, found[0].noise, 0.9)
    assert [one.moved for one in found] == [True, False, False]
    shown = command.table(found)
    assert list(shown.columns[4].cells) == ["[bold]moved by +12%[/]", "", ""]
    assert list(shown.columns[1].cells) == ["0.900", "0.900", "–"]


def test_what_is_committed_is_what_is_measured() -> None:
    kept = json.loads(FILE.read_text())["ratios"]
    assert len(kept) == 3 * len(ratios.SHAPES) + 2 * (len(DIALECTS) - 1)
    assert all(0 < value < 100 for value in kept.values())
