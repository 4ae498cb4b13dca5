"""Tables in CSV and Parquet files."""

import csv
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from train.data.table import Table
from train.errors import TrainError

_SEPARATORS = ",;\t|"


def read(paths: Sequence[Path]) -> Table:
    """Read files with the same columns as one table.

    Raises:
        TrainError: a file can't be read, is empty, or has other columns than the first one.

    """
    frames = [_parquet(path) if path.suffix == ".parquet" else _csv(path) for path in paths]
    for path, frame in zip(paths, frames, strict=True):
        if not len(frame):
            raise TrainError(f"{path}: there are no rows")
        if list(frame.columns) != list(frames[0].columns):
            different = sorted(map(str, set(frame.columns) ^ set(frames[0].columns)))
            raise TrainError(
                f"{path}: expected the columns of {paths[0]} in the same order; they differ in"
                f" {', '.join(different) or 'their order'}"
            )
    ends = np.cumsum([len(frame) for frame in frames])

    def place(row: int) -> str:
        number = int(np.searchsorted(ends, row, side="right"))
        inside = row - (int(ends[number - 1]) if number else 0)
        path = paths[number]
        if path.suffix == ".parquet":
            return f"{path}, row {inside + 1}"
        return f"{path}, line {_line(path, inside)}"

    frame = pd.concat(frames, ignore_index=True)
    return Table(paths[0].stem, frame, place, source=paths[0])


def _csv(path: Path) -> pd.DataFrame:
    """Read all cells as text; empty ones, and those like NA, are missing."""
    try:
        separator, names = _header(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of rows that are too long
            frame = pd.read_csv(
                path,
                sep=separator,
                dtype=str,
                index_col=False,
                skipinitialspace=True,
                encoding="utf-8-sig",
            )
    except UnicodeDecodeError:
        raise TrainError(f"{path}: not a text file in UTF-8") from None
    except (OSError, ValueError, csv.Error, pd.errors.ParserWarning) as error:
        raise TrainError(f"{path}: not a readable CSV file: {_reason(error)}") from None
    if twice := {name for name in names if name and names.count(name) > 1}:
        raise TrainError(f"{path}: two columns have the name {', '.join(sorted(twice))}")
    return frame


def _header(path: Path) -> tuple[str, list[str]]:
    """The separator, which is the most frequent one in the first line, and the names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = next((line for line in file if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    return separator, next(csv.reader([first], delimiter=separator, skipinitialspace=True), [])


def _line(path: Path, row: int) -> int:
    """The line in which a row begins: values may contain line breaks, and lines may be empty."""
    separator, _ = _header(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
        left, line = row + 1, 1  # the first record is the header
        for record in reader:
            if record and left == 0:
                break
            left -= bool(record)
            line = reader.line_num + 1
    return line


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path).reset_index(drop=True)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise TrainError(f"{path}: not a readable Parquet file: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
