"""Checkpoints, written after each epoch, from which a killed run resumes."""

import json
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from train import run_options
from train.errors import TrainError
from train.run_options import Options

_START = "start.json"
_ARRAYS = "checkpoint.npz"


@dataclass
class Progress:
    """The progress of training, apart from the variables of the network and its optimizer."""

    epoch: int = 0
    """Completed epochs."""
    seconds: float = 0.0
    """Time that they took."""
    kept_epoch: int = 0
    """The epoch whose weights are kept, counted from 1."""
    score: float | None = None
    """Validation accuracy (regression: RMSE) of the kept weights."""
    history: dict[str, list[float]] = field(default_factory=dict)
    """Values of each metric, one per epoch."""


class Checkpoint:
    """The checkpoint folder of one run."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.run_id = run_id
        self._folder = root / run_id

    def create(self, chosen: Options, dataset_sha256: str) -> None:
        """Create the folder, and store the options and the digest of the data."""
        self._folder.mkdir(parents=True, exist_ok=True)
        start = {"options": run_options.to_json(chosen), "dataset_sha256": dataset_sha256}
        (self._folder / _START).write_text(json.dumps(start))

    def start(self) -> tuple[Options, str]:
        """Read the options of the run, and the digest of its data.

        Raises:
            TrainError: there is no checkpoint.

        """
        try:
            start = json.loads((self._folder / _START).read_bytes())
            return run_options.from_json(start["options"]), str(start["dataset_sha256"])
        except OSError:
            raise TrainError(
                f"{self._folder}: no checkpoint; only an interrupted run has one, in the folder"
                " that its --checkpoints named"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise TrainError(
                f"{self._folder}: written by another version of this program"
            ) from None

    def save(self, network: keras.Model, kept: Iterable[NDArray[Any]], progress: Progress) -> None:
        """Write the checkpoint atomically: a kill leaves this one or the one before."""
        arrays = {f"variable{index}": value for index, value in enumerate(_values(network))}
        arrays |= {f"kept{index}": value for index, value in enumerate(kept)}
        new = self._folder / f".{_ARRAYS}"
        with new.open("wb") as file:
            np.savez(file, allow_pickle=False, progress=json.dumps(vars(progress)), **arrays)
        new.replace(self._folder / _ARRAYS)

    def load(self, network: keras.Model) -> tuple[list[NDArray[Any]], Progress] | None:
        """Restore the variables of a built network and its optimizer.

        Returns:
            The kept weights and the progress; None if no epoch was completed.

        """
        path = self._folder / _ARRAYS
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                variables = _variables(network)
                for index, variable in enumerate(variables):
                    variable.assign(archive[f"variable{index}"])
                kept = [archive[f"kept{index}"] for index in range(len(network.weights))]
                return kept, Progress(**json.loads(str(archive["progress"])))
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise TrainError(f"{path}: not readable: {error}") from None

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _variables(network: keras.Model) -> list[Any]:
    """All variables that training changes, including the state of random generators."""
    network.optimizer.build(network.trainable_variables)
    return [*network.variables, *network.optimizer.variables]


def _values(network: keras.Model) -> list[NDArray[Any]]:
    return [np.asarray(variable) for variable in _variables(network)]
