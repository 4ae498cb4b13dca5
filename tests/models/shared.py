"""The models that the tests share: above all a small network, trained and published for real.

``python -m tests.models.shared FOLDER`` makes those that are not there yet.
"""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
SUBSET_TRAIN, SUBSET_TEST = 6000, 1000
FEW = 600  # digits, where it does not matter what is learned from them
OTHERS = ("slow", "other", "swapped", "hostile", "tables")
"""Repositories of models that are made, not trained: tests/models/slow.py and so on."""


def make(folder: Path) -> None:
    """Make mlflow.db, models/mnist/1, the data and repositories of other models in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if not (folder / "models").exists():
            _take(folder / "subset.npz", SUBSET_TRAIN, SUBSET_TEST)
            _take(folder / "few.npz", FEW, FEW)
            data = ("--data", "subset.npz", "--experiment", "mnist")
            train = ("train", *data, "--hidden", "64", "--epochs", "8")
            for command in (train, ("export", "--best", "--name", "mnist")):
                _run(folder, *command)
        for name in OTHERS:
            if not (folder / f"{name}-models").exists():
                _run(folder, f"tests.models.{name}", f"{name}-models")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Only one process at a time makes something in this folder."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _take(path: Path, train: int, test: int) -> None:
    """Write the first digits of both parts of MNIST."""
    from train.reading import mnist

    digits = mnist.load(ROOT / "data")
    np.savez(
        path,
        x_train=digits.x_train[:train].astype("u1"),
        y_train=digits.y_train[:train],
        x_test=digits.x_test[:test].astype("u1"),
        y_test=digits.y_test[:test],
    )


def _run(folder: Path, *command: str) -> None:
    from tests.conftest import python_environment

    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=python_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
