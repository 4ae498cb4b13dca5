"""What an export leaves in MLflow: the ONNX model, its measures, and a registered version."""

import contextlib
import io
from pathlib import Path

import mlflow
import onnx
from mlflow.models import Model

from bundle import layout
from bundle.manifest import Manifest
from export.errors import ExportError
from export.publishing import interop
from export.source_run import Source
from export.variant import Variant
from tracking import mlflow_store

REPOSITORY_VERSION = "repository_version"
ONNX_SHA256 = "onnx_sha256"
_NAME = "onnx"  # of the model within its run


def record(published: Path, manifest: Manifest, origin: Source, variant: Variant) -> str:
    """Add what was published to the run that it came from, and register it.

    Args:
        published: the version's folder.
        manifest: of the same version.
        origin: the run.
        variant: how it was made.

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
                signature=interop.signature(manifest.inputs, manifest.outputs),
                metadata=dict(origin.metadata),
                pip_requirements=list(interop.PIP_REQUIREMENTS),
                onnx_execution_providers=list(interop.PROVIDERS),
                save_as_external_data=False,
                extra_files=[str(published / layout.MANIFEST_FILE)],
            )
            size = (published / layout.MODEL_FILE).stat().st_size
            mlflow.log_metrics(
                _measures(manifest, variant, size), run_id=origin.run_id, model_id=logged.model_id
            )
            version = mlflow.register_model(
                f"models:/{logged.model_id}", manifest.name, tags=_tags(manifest, variant)
            )
        mlflow.MlflowClient().set_tag(
            origin.run_id, "published", f"{manifest.name}/{manifest.version}"
        )
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(
            f"{published} is published, but MLflow did not take it:"
            f" {mlflow_store.first_line(error)}"
        ) from None
    return str(version.version)


def _measures(manifest: Manifest, variant: Variant, size: int) -> dict[str, float]:
    """Metrics of the ONNX model; those of a variant begin with its name, beside the plain one's."""
    measures = {"onnx_bytes": float(size)}
    measures |= {f"us_per_row_{rows}": value for rows, value in manifest.us_per_row.items()}
    if parity := manifest.parity:
        measures |= {
            "parity_rows": float(parity.rows),
            "parity_max_abs_difference": parity.max_abs_difference,
            "parity_mean_abs_difference": parity.mean_abs_difference or 0.0,
            "parity_top1_agreement": parity.top1_agreement,
        }
        for name in ("max_abs_logit_difference", "mean_abs_logit_difference"):
            if (value := getattr(parity, name)) is not None:
                measures[f"parity_{name}"] = value
    if manifest.quantization:
        measures["test_accuracy"] = manifest.metrics["test_accuracy"]
        measures["accuracy_loss"] = manifest.quantization.accuracy_loss
    measures = {f"{variant.prefix}{name}": value for name, value in measures.items()}
    if variant.quantize and manifest.quantization:
        measures["int8_accuracy_loss"] = manifest.quantization.accuracy_loss
    return measures


def _tags(manifest: Manifest, variant: Variant) -> dict[str, str]:
    """What the registry shall tell of a version."""
    tags = {
        REPOSITORY_VERSION: str(manifest.version),
        ONNX_SHA256: manifest.files[layout.MODEL_FILE],
        "git_commit": manifest.git_commit,
        "dataset": manifest.dataset.name if manifest.dataset else None,
        "test_accuracy": manifest.metrics.get("test_accuracy"),
        "val_accuracy": manifest.metrics.get("val_accuracy"),
        "input": variant.input,
        "quantization": variant.method,
    }
    return {key: str(value) for key, value in tags.items() if value is not None}
