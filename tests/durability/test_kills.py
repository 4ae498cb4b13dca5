"""A few kills of each command; ``python -m tests.reliability kills`` has more."""

import json
import shutil
from pathlib import Path

import pytest

from tests.durability import kills


@pytest.fixture
def made(work: Path, tmp_path: Path) -> Path:
    """A folder with an MLflow store, a repository and few digits."""
    return shutil.copytree(work, tmp_path / "made")


@pytest.mark.parametrize(("name", "times"), [("train", 1), ("export", 1), ("promote", 3)])
def test_nothing_is_broken(made: Path, name: str, times: int) -> None:
    killed = kills.kill(made, kills.COMMANDS[name], times, seed=3)
    assert killed.times > 0
    assert killed.problems == []


IN_PLACE = """
import pathlib, shutil, time
old, new = pathlib.Path("models/mnist/1"), pathlib.Path("models/mnist/2")
shutil.rmtree(new, ignore_errors=True)
new.mkdir()
for file in sorted(old.iterdir()):
    data = file.read_bytes()
    with (new / file.name).open("wb") as out:
        for begin in range(0, len(data), len(data) // 9 + 1):
            out.write(data[begin : begin + len(data) // 9 + 1])
            out.flush()
            time.sleep(0.01)
"""


def test_what_publishes_in_place_is_found(made: Path) -> None:
    killed = kills.kill(made, ("-c", IN_PLACE), times=5, seed=1)
    assert any("models/mnist/2" in problem for problem in killed.problems)


def test_what_is_broken_is_found(made: Path) -> None:
    assert kills.problems(made) == []
    (made / "models/mnist/labels.json").write_text(json.dumps({"champion": 7}))
    with (made / "mlflow.db").open("r+b") as database:
        database.seek(8192)
        database.write(b"\xff" * 4096)
    broken = kills.problems(made)
    assert "champion: no such version" in broken
    assert broken[0].startswith("mlflow.db: ")
