"""``test_results.npz``: what a version answers for each row of its test set.

Servers ignore it. A promotion compares two versions by it, row by row.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import Manifest
from export.errors import ExportError

FILE = "test_results.npz"


def to_npz(task: str, truth: NDArray[Any], output: NDArray[Any]) -> bytes:
    """Store the true and predicted class, or value, of each row.

    Args:
        task: of the model.
        truth: class indices, or values, shape (N,).
        output: of the model, shape (N, classes) or (N, 1).

    """
    predicted = output[:, 0]
    if task != "regression":
        predicted = output.argmax(axis=1).astype(np.min_scalar_type(output.shape[1] - 1))
    buffer = io.BytesIO()
    arrays = {"truth": truth.astype(predicted.dtype), "predicted": predicted}
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def read(folder: Path, manifest: Manifest) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Read the true and predicted classes of a version; None if it was published without them.

    Raises:
        ExportError: the file is missing or damaged.

    """
    if FILE not in manifest.files:
        return None
    path = folder / FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != manifest.files[FILE]:
        raise ExportError(f"{path}: differs from its checksum in the manifest")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return archive["truth"], archive["predicted"]
