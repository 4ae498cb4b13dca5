"""What the tests of training share: an empty store of MLflow, and one small sweep."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import call
from tests.models.shared import locked

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
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that MLflow has made its tables in, once for all tests."""
    import mlflow

    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def folder(tmp_path: Path, empty_store: Path) -> Path:
    """A folder to run our commands in, with an MLflow store without runs."""
    shutil.copy(empty_store, tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def swept(
    work: Path,
    empty_store: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Swept:
    """Two networks with two seeds each, of two epochs; made by one process for all of them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "sweep"
    folder.mkdir(exist_ok=True)
    with locked(folder):
        if not (folder / "parent").exists():
            shutil.copy(empty_store, folder)
            (folder / "two.toml").write_text(PLAN)
            sweep = ("sweep", "two.toml", "--study", "first", "--data", work / "subset.npz")
            done = call("train", *sweep, cwd=folder)
            assert done.returncode == 0, done.stderr
            (folder / "told").write_text(done.stderr)
            (folder / "parent").write_text(done.stdout.strip())
    copy = tmp_path_factory.mktemp("swept")
    for name in ("mlflow.db", "two.toml", "sweeps.db"):
        shutil.copy(folder / name, copy)
    parent, told = ((folder / name).read_text() for name in ("parent", "told"))
    return Swept(copy, "first", parent, told)
