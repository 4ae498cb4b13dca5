"""What the tests of sweeps and of comparisons share: one small sweep."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import python_environment, run

SEEDS = (0, 1)
PLAN = """
seeds = 2
[options]
epochs = 2
[[runs]]
name = "wide"
hidden = [32]
[[runs]]
name = "narrow"
hidden = [8]
"""


@dataclass(frozen=True)
class Swept:
    """A finished sweep."""

    folder: Path
    """With mlflow.db."""
    study: str
    parent: str
    told: str
    """What it wrote for people."""


@pytest.fixture(scope="session")
def swept(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """Two networks with two seeds each, of two epochs on 6,000 digits."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "two.toml").write_text(PLAN)
    done = run(
        *(sys.executable, "-m", "train", "sweep", "two.toml", "--study", "first"),
        *("--data", work / "subset.npz"),
        cwd=folder,
        env=python_environment(),
    )
    assert done.returncode == 0, done.stderr
    return Swept(folder, "first", done.stdout.strip(), done.stderr)
