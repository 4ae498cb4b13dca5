"""Read a data set as a run does."""

from pathlib import Path
from typing import Any

from train.data.dataset import Dataset
from train.reading import reader
from train.run_options import of_preset


def read(*data: str | Path, **options: Any) -> Dataset:
    return reader.read(of_preset("default", data=tuple(map(str, data)), **options))
