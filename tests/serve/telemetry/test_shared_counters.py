"""Numbers that several workers count, and whoever reads them adds up."""

from pathlib import Path

import pytest

from serve.telemetry import shared_counters
from serve.telemetry.shared_counters import SharedCounters


def series(folder: Path) -> list[tuple[shared_counters.Key, list[float]]]:
    return sorted((key, list(numbers)) for key, numbers in shared_counters.read(folder))


def test_a_successor_counts_on(tmp_path: Path) -> None:
    first = SharedCounters(tmp_path, "0")
    at = first.place(("requests", "/a b", "200"), 1)
    sizes = first.place(("sizes",), 3)
    first.numbers[at] += 2
    first.numbers[sizes + 2] += 0.5
    del first
    second = SharedCounters(tmp_path, "0")
    assert second.place(("sizes",), 3) == sizes
    second.numbers[second.place(("requests", "/a b", "200"), 1)] += 1
    second.numbers[second.place(("later", "\n"), 1)] += 7
    assert series(tmp_path) == [
        (("later", "\n"), [7]),
        (("requests", "/a b", "200"), [3]),
        (("sizes",), [0, 0, 0.5]),
    ]


def test_workers_have_numbers_of_their_own(tmp_path: Path) -> None:
    for name in ("0", "1"):
        worker = SharedCounters(tmp_path, name)
        worker.numbers[worker.place(("requests",), 1)] += 1 + int(name)
    assert series(tmp_path) == [(("requests",), [1]), (("requests",), [2])]


def test_a_line_that_is_just_being_written_is_left_for_the_next_time(tmp_path: Path) -> None:
    worker = SharedCounters(tmp_path, "0")
    worker.place(("requests",), 1)
    with (tmp_path / "0.names").open("a") as names:
        names.write('[["rows"], ')
    assert series(tmp_path) == [(("requests",), [0])]


def test_files_that_are_just_being_made_or_removed_are_no_error(tmp_path: Path) -> None:
    for name in ("0", "live-0"):
        worker = SharedCounters(tmp_path, name)
        worker.numbers[worker.place((name,), 1)] += 1
    (tmp_path / "live-0.numbers").unlink()
    (tmp_path / "1.names").touch()
    assert series(tmp_path) == [(("0",), [1])]


def test_what_finds_no_room_disturbs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_counters, "_MAX_NUMBERS", 8)
    worker = SharedCounters(tmp_path, "0")
    first = worker.place(("first",), 3)
    second = worker.place(("second",), 3)
    worker.numbers[second] += 1
    assert worker.place(("second",), 3) == second
    assert first != second
    assert series(tmp_path) == [(("first",), [0, 0, 0])]
    assert caplog.text.count("no room left to count second") == 1
