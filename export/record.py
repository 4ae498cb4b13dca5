"""What an export leaves in MLflow: the ONNX model, its measures, and a registered version."""

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path

import mlflow
import numpy
import onnx
import onnxruntime
from mlflow.models import Model

from bundle import layout
from bundle.manifest import Manifest
from export.errors import ExportError
from export.source import Source
from train import tracking

REPOSITORY_VERSION = "repository_version"
ONNX_SHA256 = "onnx_sha256"
_NAME = "onnx"  # of the model within its run


def record(
    published: Path, manifest: Manifest, origin: Source, measures: Mapping[str, float]
) -> str:
    """Add what was published to the run that it came from, and register it.

    Args:
        published: the version's folder.
        manifest: of the same version.
        origin: the run.
        measures: of the ONNX model, by the names of their metrics.

    Returns:
        The version in MLflow's registry, where the model has the name that it is published under.

    Raises:
        ExportError: MLflow did not take it; the version in the repository stays.

    """
    try:
        mlflow.set_experiment(experiment_id=origin.experiment_id)  # else the model is in another
        with contextlib.redirect_stderr(io.StringIO()):  # where MLflow says what it registers
            logged = Model.log(
                None,
                mlflow.onnx,
                name=_NAME,
                run_id=origin.run_id,
                onnx_model=onnx.load(published / layout.MODEL_FILE),
                signature=origin.signature,
                metadata=dict(origin.metadata),
                pip_requirements=[
                    f"{module.__name__}=={module.__version__}"
                    for module in (onnx, onnxruntime, numpy)
                ],
                onnx_execution_providers=["CPUExecutionProvider"],
                save_as_external_data=False,
                extra_files=[str(published / layout.MANIFEST_FILE)],
            )
            mlflow.log_metrics(dict(measures), run_id=origin.run_id, model_id=logged.model_id)
            version = mlflow.register_model(
                f"models:/{logged.model_id}", manifest.name, tags=_tags(manifest)
            )
        mlflow.MlflowClient().set_tag(
            origin.run_id, "published", f"{manifest.name}/{manifest.version}"
        )
    except tracking.STORE_ERRORS as error:
        raise ExportError(
            f"{published} is published, but MLflow did not take it: {tracking.first_line(error)}"
        ) from None
    return str(version.version)


def _tags(manifest: Manifest) -> dict[str, str]:
    """What the registry shall tell of a version."""
    tags = {
        REPOSITORY_VERSION: str(manifest.version),
        ONNX_SHA256: manifest.files[layout.MODEL_FILE],
        "git_commit": manifest.git_commit,
        "dataset": manifest.dataset.name if manifest.dataset else None,
        "test_accuracy": manifest.metrics.get("test_accuracy"),
        "val_accuracy": manifest.metrics.get("val_accuracy"),
    }
    return {key: str(value) for key, value in tags.items() if value is not None}
