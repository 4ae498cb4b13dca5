"""``python -m export traffic``."""

import json
from pathlib import Path
from typing import Any

import pytest

from bundle import labels
from bundle.labels import Labels
from export import __main__ as command


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in (1, 2):
        (tmp_path / f"m/{version}").mkdir(parents=True)
    (tmp_path / "m/labels.json").write_text('{"champion": 1, "challenger": 2, "lost": 9}')
    return tmp_path


def run(root: Path, *arguments: str, monkeypatch: Any) -> int:
    line = ["export", "traffic", "m", *arguments, "--models", str(root)]
    monkeypatch.setattr("sys.argv", line)
    return command.main()


def test_labels_get_shares(root: Path, monkeypatch: Any, capsys: Any) -> None:
    weights = ("champion=95", "challenger=5", "--shadow", "challenger")
    assert run(root, *weights, monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().err == (
        "champion (version 1) gets 95.0%, challenger (version 2) gets 5.0%;"
        " challenger (version 2) is the shadow\n"
    )
    versions = {"challenger": 2, "champion": 1, "lost": 9}
    weighted = Labels(versions, {"champion": 95, "challenger": 5}, "challenger")
    assert labels.read(root, "m") == weighted
    assert run(root, monkeypatch=monkeypatch) == 0
    assert "the newest version gets all\n" in capsys.readouterr().err
    assert json.loads((root / "m/labels.json").read_text()) == versions


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("new=5",), "m has no label new; its labels are challenger, champion, lost."),
        (("--shadow", "new"), "python -m export promote m VERSION --alias new assigns it"),
        (("lost=5",), "label lost means version 9, which does not exist"),
        (("champion=0",), "all weights are 0"),
    ],
)
def test_says_what_is_wrong(
    root: Path, arguments: tuple[str, ...], message: str, monkeypatch: Any, capsys: Any
) -> None:
    before = (root / "m/labels.json").read_bytes()
    assert run(root, *arguments, monkeypatch=monkeypatch) == 1
    assert message in capsys.readouterr().err
    assert (root / "m/labels.json").read_bytes() == before


@pytest.mark.parametrize("weight", ["champion", "champion=-1", "champion=1.5", "champion=9999999"])
def test_refuses_weights_that_are_none(root: Path, weight: str, monkeypatch: Any) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(root, weight, monkeypatch=monkeypatch)


def test_a_model_that_does_not_exist(root: Path, monkeypatch: Any, capsys: Any) -> None:
    assert run(root / "nowhere", "champion=1", monkeypatch=monkeypatch) == 1
    assert "No such file or directory" in capsys.readouterr().err
