"""Arrays in an ``.npz`` file, without unpickling."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.errors import TrainError

PARTS = ("x_train", "y_train", "x_test", "y_test")
"""The layout of Keras's ``mnist.npz``."""
WHOLE = ("features", "targets")
"""Without a test part."""
NAMES = "feature_names"


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays ``WHOLE`` or else ``PARTS``, and ``NAMES`` if the file has it.

    Raises:
        TrainError: the file can't be read, or lacks an array.

    """
    try:
        # Opened here, because np.load does not close a damaged file.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            wanted = WHOLE if set(WHOLE) <= set(archive.files) else PARTS
            names = [NAMES] if NAMES in archive.files else []
            return {key: archive[key] for key in (*wanted, *names)}
    except KeyError as error:
        raise TrainError(f"{path}: has no array {error.args[0]}") from None
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise TrainError(f"{path}: not a readable .npz: {error}") from None
