"""What `make test` does before and after the tests: programs, and the summary."""

import os
import stat
from pathlib import Path

import pytest

from tests.suite import programs, summary
from tests.suite.groups import Group
from tests.suite.programs import CHROMIUM, MissingError, Program
from tests.suite.summary import Result

WRK = Program(("wrk",), ("wrk",))

REPORT = """<testsuites><testsuite time="12.3">
<testcase classname="tests.a" name="test_good"/>
<testcase classname="tests.a" name="test_bad"><failure message="assert 1 == 2"/></testcase>
<testcase classname="tests.b" name="test_left_out[1]"><skipped message="no engine"/></testcase>
<testcase classname="tests.b" name="test_left_out[2]"><skipped message="no engine"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of the PATH, of a user without privileges."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def add(folder: Path, name: str, script: str = "") -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_a_program_is_found_under_any_of_its_names(path: Path) -> None:
    assert CHROMIUM.path() is None
    chrome = add(path, "google-chrome")
    assert CHROMIUM.path() == str(chrome)
    programs.require([CHROMIUM])


def test_a_user_is_told_what_to_install(path: Path) -> None:
    add(path, "apt-get", "echo must not be called; exit 1")
    with pytest.raises(MissingError) as told:
        programs.require([CHROMIUM, WRK])
    assert str(told.value) == "missing: chromium, wrk; sudo apt-get install chromium wrk"


def test_a_system_without_apt_get_is_not_told_of_it(path: Path) -> None:
    with pytest.raises(MissingError, match="wrk; install them with this system's package manager"):
        programs.require([WRK])


def test_root_installs_the_package_that_the_release_has(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add(path, "apt-cache", '[ "$3" = chromium-browser ]')
    add(path, "apt-get", f'echo "$@" >> {path}/asked')
    with pytest.raises(MissingError, match="although packages were installed for them: chromium"):
        programs.require([CHROMIUM])  # for this apt-get installs nothing
    update, install = (path / "asked").read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install --yes --no-install-recommends chromium-browser")


def test_an_apt_get_that_fails_is_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add(path, "apt-get", "echo no network; exit 100")
    with pytest.raises(MissingError, match=r"apt-get .* update failed"):
        programs.require([WRK])
    assert capsys.readouterr().err == "no network\n"


def test_the_summary_counts_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.suite.groups.ROOT", tmp_path)
    good, crashed = (Group(name, "python", ()) for name in ("serving", "images"))
    good.report.parent.mkdir(parents=True)
    good.report.write_text(REPORT)
    told = summary.told([Result(good, 1), Result(crashed, 4)])
    assert told.splitlines() == [
        "tests           passed  failed  skipped  seconds",
        "serving              1       1        2       12",
        "images               0       0        0        0",
        "",
        "skipped:",
        "    2  tests.b: no engine",
        "",
        "failed:",
        "  tests.a::test_bad",
        "  images: pytest ended with status 4",
    ]


def test_the_summary_of_a_good_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.suite.groups.ROOT", tmp_path)
    group = Group("serving", "python", ())
    group.report.parent.mkdir(parents=True)
    group.report.write_text('<testsuite><testcase classname="a" name="b"/></testsuite>')
    assert summary.told([Result(group, 0)]).splitlines()[-1] == "all tests passed"
