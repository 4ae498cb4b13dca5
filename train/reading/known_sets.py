"""Small data sets that everyone has: scikit-learn's own, and the penguins of an npm package."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets as sklearn_datasets
from sklearn.utils import Bunch

from train.data import images, table
from train.data.dataset import Dataset
from train.data.table import Table
from train.data_options import DataOptions
from train.errors import TrainError
from train.reading import download

NPM_PACKAGE = "vega-datasets@3.2.1"
_NPM_FILE = "package/data/penguins.json"
_PENGUINS_SHA256 = "0facf769609f1205b82cbceb8238c36af3e6147a0ca0e163902cc6281ce3e917"
_SKLEARN: dict[str, Callable[[], Bunch]] = {
    "breast_cancer": lambda: sklearn_datasets.load_breast_cancer(as_frame=True),
    "diabetes": lambda: sklearn_datasets.load_diabetes(as_frame=True, scaled=False),
    "iris": lambda: sklearn_datasets.load_iris(as_frame=True),
    "wine": lambda: sklearn_datasets.load_wine(as_frame=True),
}


def read_table(name: str, options: DataOptions) -> Dataset:
    """Read a known table; options may change its target and leave out columns."""
    if name == "penguins":
        frame, target = _penguins(options.cache), "Species"
    else:
        bunch = _SKLEARN[name]()
        frame, target = bunch.frame, "target"
        if "target_names" in bunch:
            names = np.array(bunch.target_names)
            frame = frame.assign(target=names[frame["target"]])
    return table.make(Table(name, frame, lambda row: f"row {row + 1}", target), options)


def read_digits(options: DataOptions) -> Dataset:
    """Read scikit-learn's digits: 1,797 images of 8x8 pixels from 0 to 16."""
    bunch = sklearn_datasets.load_digits()
    return images.make_split("digits", bunch.images, bunch.target, options)


def _penguins(cache: Path) -> pd.DataFrame:
    """The Palmer penguins, from the cache folder or else from npm."""
    file = cache / "penguins.json"
    content = file.read_bytes() if file.exists() else b""
    if hashlib.sha256(content).hexdigest() != _PENGUINS_SHA256:
        (content,) = download.from_npm(NPM_PACKAGE, _NPM_FILE)
        if hashlib.sha256(content).hexdigest() != _PENGUINS_SHA256:
            raise TrainError(f"npm package {NPM_PACKAGE}: {_NPM_FILE} is not the expected one")
        download.store(file, content)
    frame = pd.read_json(io.BytesIO(content))
    return frame.replace({"Sex": {".": None}})  # one sex was noted as a dot
