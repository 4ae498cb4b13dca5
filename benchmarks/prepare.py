"""What a benchmark needs: the small model 784-128-10, and bodies of real test digits."""

import functools
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.load import digits
from benchmarks.load.dialect import DIALECTS, Model, Request
from benchmarks.load.digits import Digits

FOLDER = ROOT / "build/bench"


def models() -> Path:
    """A repository with the model, trained and published once.

    Raises:
        BenchmarkError: it can't be trained, for one because MNIST can't be had.

    """
    published = FOLDER / "models"
    if not published.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": ""}
        train = ["train", "--hidden", "128", "--epochs", "3", "--cache", str(ROOT / "data")]
        for command in (train, ["export", "--best"]):
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=FOLDER,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise BenchmarkError(f"no model to measure: {done.stderr.strip()}")
    return published


def keras_model() -> Path:
    """The same model as Keras has it."""
    models()
    return next((FOLDER / "mlruns").rglob("model.keras"))


def requests(rows: Iterable[int], dialect: str = "predict") -> dict[int, Request]:
    """For each number of rows, a request with so many test digits, as compact integer JSON."""
    encode = DIALECTS[dialect].request
    return {count: encode(_digits().some(count, 0).images, Model()) for count in rows}


@functools.cache
def _digits() -> Digits:
    return digits.read(ROOT / "data")
