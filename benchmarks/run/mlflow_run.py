"""Logs a report into MLflow: the run that the model came from, and its registered version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient

from benchmarks.errors import BenchmarkError
from benchmarks.load import percentiles
from benchmarks.run.grid_point import PointResult
from benchmarks.run.grid_report import NAMES
from bundle.manifest import Manifest
from export.errors import ExportError
from export.registry import alias
from export.registry.gate import P99_TAG
from tracking import mlflow_store

ARTIFACTS = "load_test"


def log(folder: Path, model: Mapping[str, Any], reference: PointResult) -> str:
    """Log the files of a report, and the figures of one point, which ``train compare`` shows.

    Args:
        folder: with the report's files.
        model: what the server says of the model: its name and provenance.
        reference: the point that stands for the model; it has no faults.

    Returns:
        What was logged, for people.

    Raises:
        BenchmarkError: MLflow refuses it, or the model came from no run.

    """
    run_id = model.get("run_id")
    if run_id is None:
        raise BenchmarkError("the model's manifest names no MLflow run")
    if lack := mlflow_store.missing():
        raise BenchmarkError(lack)
    metrics = _metrics(reference)
    mlflow_store.connect()
    try:
        mlflow.log_metrics(metrics, run_id=run_id)
        for name in NAMES:
            MlflowClient().log_artifact(run_id, str(folder / name), ARTIFACTS)
        registered = _tag(model, metrics)
    except mlflow_store.STORE_ERRORS as error:
        raise BenchmarkError(f"MLflow: {mlflow_store.first_line(error)}") from None
    return f"logged into MLflow's run {run_id}{registered}"


def _metrics(reference: PointResult) -> dict[str, float]:
    known = {
        f"load_{percentiles.name(quantile)}_ms": spread.milliseconds
        for quantile, spread in reference.percentiles.items()
    }
    optional = {
        "load_rows_per_second": reference.rows_per_second,
        "load_cpu_seconds_per_1000_rows": reference.cpu_seconds_per_1000_rows,
        "load_memory_mib": reference.memory_mib,
    }
    return known | {name: value for name, value in optional.items() if value is not None}


def _tag(model: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """Put the p99 where ``export promote --p99`` looks for it."""
    manifest = Manifest(
        name=model["name"],
        version=model["version"],
        created=model["created"],
        files=model["files"],
        inputs=(),
        outputs=(),
        run_id=model["run_id"],
    )
    try:
        found = alias.registered(manifest).version
    except ExportError as error:
        return f"; its version is not in the registry: {error}"
    if found is None or P99_TAG not in metrics:
        return ""
    MlflowClient().set_model_version_tag(manifest.name, found, P99_TAG, f"{metrics[P99_TAG]:.3f}")
    return f", and its p99 to {manifest.name} version {found} of the registry"
