"""What a run needs to go on after a kill: written after each epoch, removed when it is done."""

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

_OPTIONS = "options.json"
_STATE = "state.npz"


@dataclass
class Progress:
    """How far training is, beside what the network and its optimizer hold."""

    epoch: int = 0
    """Epochs done."""
    seconds: float = 0.0
    """That they took."""
    kept_epoch: int = 0
    """Whose weights are kept, counted from 1."""
    accuracy: float = -1.0
    """Theirs, in validation."""
    history: dict[str, list[float]] = field(default_factory=dict)
    """Each metric after each epoch."""


class State:
    """The folder of one run."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.run_id = run_id
        self._folder = root / run_id

    def begin(self, chosen: Options) -> None:
        """Keep the options."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / _OPTIONS).write_text(json.dumps(run_options.to_json(chosen)))

    def options(self) -> Options:
        """The options that the run began with.

        Raises:
            TrainError: there is nothing to go on with.

        """
        try:
            return run_options.from_json(json.loads((self._folder / _OPTIONS).read_bytes()))
        except OSError:
            raise TrainError(
                f"{self._folder}: nothing to go on with; only a run that was cut short keeps it, in"
                " the folder that it was begun with"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise TrainError(f"{self._folder}: of another version of this program") from None

    def save(self, network: keras.Model, kept: Iterable[NDArray[Any]], progress: Progress) -> None:
        """Write all of it at once: a kill leaves this state or the one before."""
        arrays = {f"variable{index}": value for index, value in enumerate(_values(network))}
        arrays |= {f"kept{index}": value for index, value in enumerate(kept)}
        new = self._folder / f".{_STATE}"
        with new.open("wb") as file:
            np.savez(file, allow_pickle=False, progress=json.dumps(vars(progress)), **arrays)
        new.replace(self._folder / _STATE)

    def load(self, network: keras.Model) -> tuple[list[NDArray[Any]], Progress] | None:
        """Bring a built network and its optimizer to where they were.

        Returns:
            The kept weights and the progress; None where no epoch was done.

        """
        path = self._folder / _STATE
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
        """Forget it: the run is done."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _variables(network: keras.Model) -> list[Any]:
    """All that training changes, the state of dropout's random numbers included."""
    network.optimizer.build(network.trainable_variables)
    return [*network.variables, *network.optimizer.variables]


def _values(network: keras.Model) -> list[NDArray[Any]]:
    return [np.asarray(variable) for variable in _variables(network)]
