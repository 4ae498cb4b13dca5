"""Rows that the user supplies with a model, for golden inputs and the features of the manifest."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import Feature
from export.errors import ExportError

FORMATS = (".csv", ".npz")


@dataclass(frozen=True)
class Rows:
    """Rows of a table, or arrays without names."""

    x: NDArray[np.float32]
    """Shape (N, …). Texts are codes: their indices in the feature's values."""
    features: tuple[Feature, ...] = ()
    """The columns of a CSV file."""

    def has_texts(self) -> bool:
        """Whether a column has texts."""
        return any(feature.kind == "category" for feature in self.features)


def read(file: Path) -> Rows:
    """Read a CSV file with a header, or the only array of an ``.npz`` file.

    Raises:
        ExportError: it can't be read, has no rows, or a value that no model should get.

    """
    if file.suffix not in FORMATS:
        raise ExportError(f"{file}: expected rows in a file {' or '.join(FORMATS)}")
    try:
        rows = _table(file) if file.suffix == ".csv" else _array(file)
    except OSError as error:
        raise ExportError(f"{file}: {error.strerror}") from None
    if rows.x.ndim < 2 or not rows.x.size:
        raise ExportError(f"{file}: has no rows")
    return rows


def _array(file: Path) -> Rows:
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = [archive[name] for name in archive.files]
    except (ValueError, zipfile.BadZipFile):
        raise ExportError(f"{file}: not an .npz file of numbers") from None
    if len(arrays) != 1 or arrays[0].dtype.kind not in "fiub":
        raise ExportError(f"{file}: expected one array of numbers, got {len(arrays)} arrays")
    values = arrays[0].astype(np.float32)
    if np.isinf(values).any():
        raise ExportError(f"{file}: has an infinite value")
    return Rows(values)


def _table(file: Path) -> Rows:
    import pandas as pd  # here: only those who import a model wait for it

    try:
        table = pd.read_csv(file)
    except (ValueError, UnicodeDecodeError) as error:  # ParserError and EmptyDataError among them
        raise ExportError(f"{file}: not a CSV file: {' '.join(str(error).split())}") from None
    if table.empty:
        raise ExportError(f"{file}: has no rows")
    columns = [_column(file, name, table[name]) for name in table.columns]
    features = tuple(feature for feature, _ in columns)
    return Rows(np.array([values for _, values in columns], np.float32).T, features)


def _column(file: Path, name: str, column: Any) -> tuple[Feature, NDArray[np.float64]]:
    """Describe a column of a pandas frame; its values as numbers."""
    try:
        if column.dtype.kind == "O":
            return _category(file, name, column)
        if column.dtype.kind == "b":
            return Feature(name=name, kind="boolean"), column.to_numpy(np.float64)
        return _number(file, name, column.to_numpy(np.float64))
    except ValueError as error:
        raise ExportError(f"{file}: {error}") from None


def _number(
    file: Path, name: str, values: NDArray[np.float64]
) -> tuple[Feature, NDArray[np.float64]]:
    if np.isinf(values).any():
        line = int(np.flatnonzero(np.isinf(values))[0]) + 2
        raise ExportError(f"{file}, line {line}, column {name}: is infinite")
    missing = np.isnan(values)
    if missing.all():
        raise ExportError(f"{file}, column {name}: has no values")
    span = (float(np.nanmin(values)), float(np.nanmax(values)))
    feature = Feature(name=name, kind="number", range=span, accepts_missing=bool(missing.any()))
    return feature, values


def _category(file: Path, name: str, column: Any) -> tuple[Feature, NDArray[np.float64]]:
    if column.isna().any():
        line = int(np.flatnonzero(column.isna())[0]) + 2
        raise ExportError(f"{file}, line {line}, column {name}: a text is missing")
    values, codes = np.unique([str(text) for text in column], return_inverse=True)
    feature = Feature(name=name, kind="category", values=tuple(map(str, values)))
    return feature, codes.astype(np.float64)
