"""Arrays that training keeps with a run: for export, and to compare runs row by row."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from numpy.typing import NDArray

TEST_SET = "data/test.npz"  # x_test and y_test
CALIBRATION = "data/calibration.npz"  # x_train: some rows of the training set
VALIDATION = "data/validation.npz"  # truth, predicted and loss of each validation row


def are_bytes(values: NDArray[Any]) -> bool:
    """Are all values whole numbers from 0 to 255? NaN is none."""
    return bool(((values >= 0) & (values <= 255) & (values == np.rint(values))).all())


def log_arrays(artifact: str, **arrays: NDArray[Any]) -> None:
    """Add arrays to the active run as one ``.npz``; whole numbers up to 255 are stored as bytes."""
    small = {
        name: values.astype(np.uint8) if are_bytes(values) else values
        for name, values in arrays.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(artifact).name
        np.savez_compressed(path, allow_pickle=False, **small)
        mlflow.log_artifact(str(path), str(Path(artifact).parent))


def read_arrays(file: Path, *names: str) -> list[NDArray[Any]]:
    """Read what ``log_arrays`` stored.

    Raises:
        ValueError: the file is damaged, or does not contain all of these arrays.

    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            return [archive[name] for name in names]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file.name} has no {' and '.join(names)}: {error}") from None
