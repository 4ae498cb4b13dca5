"""The rows that are sent: a model's golden inputs, whose answers are known.

Each published version has them in its ``golden.npz``, so any model can be loaded, and each answer
can be checked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np

from benchmarks.errors import BenchmarkError
from benchmarks.load.protocols import DTYPES, Model, Tensors
from bundle import layout, reader
from bundle.errors import BundleError
from bundle.manifest import TensorSpec

_TIMEOUT = 30  # seconds


@dataclass(frozen=True)
class GoldenRows:
    """Inputs and the outputs that belong to them, row by row."""

    inputs: Tensors
    outputs: Tensors
    tolerance: float
    """Largest difference of an output from the expected one."""

    def some(self, rows: int, first: int) -> "GoldenRows":
        """So many rows from ``first`` on, from the beginning again if there are fewer."""
        chosen = np.arange(first, first + rows) % len(next(iter(self.inputs.values())))
        return GoldenRows(
            {name: array[chosen] for name, array in self.inputs.items()},
            {name: array[chosen] for name, array in self.outputs.items()},
            self.tolerance,
        )


@dataclass(frozen=True)
class GoldenModel:
    """A model, and the rows whose answers are known."""

    model: Model
    version: int
    rows: GoldenRows
    provenance: Mapping[str, Any]
    """What a server tells of where it came from: run_id, files, metrics and others."""


def served(host: str, name: str, models: Path) -> GoldenModel:
    """The version of a model that a server has.

    Args:
        host: address of the server.
        name: of the model.
        models: the repository with the version.

    Raises:
        BenchmarkError: it is not served there, or its version is not in the repository.

    """
    document = _metadata(host, name)
    try:
        version = max(map(int, document["versions"]))
        provenance = dict(document.get("provenance", {}))
    except (KeyError, TypeError, ValueError):
        raise BenchmarkError(f"{host} is another server: it answers {document!r}") from None
    return _read(models, name, version, provenance)


def published(models: Path, name: str) -> GoldenModel:
    """The newest version of a model in a repository.

    Raises:
        BenchmarkError: there is none, or it has no golden rows.

    """
    versions = layout.versions(models, name)
    if not versions:
        raise BenchmarkError(f"{models} has no model {name}: publish one (make model)")
    return _read(models, name, versions[-1], {})


def _read(models: Path, name: str, version: int, provenance: Mapping[str, Any]) -> GoldenModel:
    folder = models / name / str(version)
    try:
        bundle = reader.read_version(models, name, version)
    except BundleError as error:
        raise BenchmarkError(f"no golden rows to send: {error}") from None
    golden, manifest = bundle.golden, bundle.manifest
    if golden is None or manifest is None:
        raise BenchmarkError(f"{folder} has no golden.npz: publish the model (python -m export)")
    arrays = (*golden.inputs.values(), *golden.outputs.values())
    lengths = {len(array) if array.ndim else 0 for array in arrays}
    if len(lengths) != 1 or 0 in lengths:
        raise BenchmarkError(f"{folder}: the outputs do not have a row for each row of the inputs")
    outputs = [spec.name for spec in manifest.outputs]
    inputs = {spec.name: _datatype(spec) for spec in manifest.inputs}
    model = Model(name, inputs, outputs, manifest.features, manifest.task == "regression")
    return GoldenModel(
        model, version, GoldenRows(golden.inputs, golden.outputs, golden.tolerance), provenance
    )


def _datatype(spec: TensorSpec) -> str:
    return next(name for name, dtype in DTYPES.items() if np.dtype(dtype).name == spec.dtype)


def _metadata(host: str, name: str) -> Any:
    url = f"{host}/v2/models/{name}"
    try:
        with urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310
            return json.loads(answer.read())
    except HTTPError as error:
        with error:
            text = error.read(300).decode(errors="replace")
        raise BenchmarkError(f"{url} answers {error.code}: {text}") from None
    except OSError as error:
        raise BenchmarkError(f"{url}: {getattr(error, 'reason', error)}") from None
    except ValueError as error:
        raise BenchmarkError(f"{url}: {error}") from None
