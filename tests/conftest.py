"""What the tests share: one model, trained and published for real, and servers that serve it.

Nothing here imports TensorFlow or MLflow, so that the tests of serve/ and bundle/ also run
where only the serving requirements are installed.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.models import shared as shared_models
from tests.models.plus import Plus
from tests.servers.live import Server

ROOT = Path(__file__).parent.parent
LONGEST = (
    "test_readme.py",
    "test_commands_in_pages.py",
    "test_variants.py",
    "test_sweep.py",
    "test_resume.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--repository",
        type=Path,
        help="use the model published in this folder, and publish one there if it has none",
    )
    parser.addoption("--images", action="store_true", help="build and test the container images")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: else one process would have them all at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Images take minutes to build: `make test` asks for their tests."""
    of_images = collection_path == ROOT / "tests/images"
    return True if of_images and not config.getoption("--images") else None


@dataclass(frozen=True)
class Digits:
    images: NDArray[np.uint8]
    """Shape (N, 784)."""
    labels: NDArray[np.uint8]


def run(*command: str | Path, cwd: Path = ROOT, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command, its output as text; the test decides what a failure means."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        **options,
    )


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what is made once for all processes of tests, and only read."""
    folder: Path = request.config.getoption("--repository") or tmp_path_factory.mktemp("shared")
    shared_models.make(folder.resolve())
    return folder.resolve()


@pytest.fixture(scope="session")
def work(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mlflow.db, models/mnist/1 and the data, a copy for this process alone."""
    folder = tmp_path_factory.mktemp("work")
    for name in ("mlflow.db", "models", "subset.npz", "few.npz"):
        copy = shutil.copytree if (shared / name).is_dir() else shutil.copy2
        copy(shared / name, folder / name)
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def python_environment(**more: str) -> dict[str, str]:
    """The environment of a Python process that finds our packages from any folder."""
    import os

    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SERVE_", "MLFLOW_"))}
    return {**kept, "PYTHONPATH": path, **more}


@pytest.fixture
def tracked(work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow in this process uses the store in ``work``, and forgets it afterwards."""
    import mlflow

    uri = f"sqlite:///{work}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)  # MLflow sets it too, and leaves it set
    mlflow.set_tracking_uri(uri)
    yield
    mlflow.set_tracking_uri("")


@pytest.fixture(scope="session")
def repository(work: Path) -> Path:
    """A model repository with mnist/1, a small network trained on 6,000 digits."""
    return work / "models"


@pytest.fixture(scope="session")
def slow_repository(shared: Path) -> Path:
    """A model repository with slow/1: a run of it takes a few tenths of a second."""
    return shared / "slow-models"


@pytest.fixture(scope="session")
def other_repository(shared: Path) -> Path:
    """A model repository with models that are no image classifiers; see tests/models/other.py."""
    return shared / "other-models"


@pytest.fixture(scope="session")
def table_repository(shared: Path) -> Path:
    """A model repository with models of tables; see tests/models/tables.py."""
    return shared / "tables-models"


@pytest.fixture(scope="session")
def swapped_repository(shared: Path) -> Path:
    """A model repository with plus/1 and large/1, which tests copy; see tests/models/swapped.py."""
    return shared / "swapped-models"


@pytest.fixture
def plus(swapped_repository: Path, tmp_path: Path) -> Plus:
    """A repository with version 1 of plus; see tests/models/plus.py."""
    models = Plus(swapped_repository, tmp_path / "models")
    models.publish(1)
    return models


@pytest.fixture(scope="session")
def digits(work: Path) -> Digits:
    """1,000 real test digits."""
    with np.load(work / "subset.npz") as archive:
        return Digits(archive["x_test"].reshape(-1, 784), archive["y_test"])


@pytest.fixture(scope="session")
def server(repository: Path) -> Iterator[Server]:
    """A server of that model with default settings, in a process of its own."""
    with Server("--models", str(repository)) as running:
        yield running
