"""Record an export in MLflow: the ONNX model, its metrics, and a registered version."""

import contextlib
import io
from pathlib import Path

import mlflow
import onnx
from mlflow.models import Model

from bundle import layout
from bundle.manifest import Manifest
from export.errors import ExportError
from export.proof import score
from export.publishing import interop
from export.source_run import SourceRun
from export.variant import Variant
from tracking import mlflow_store

REPOSITORY_VERSION = "repository_version"
ONNX_SHA256 = "onnx_sha256"
_NAME = "onnx"  # of the logged model


def record(published: Path, manifest: Manifest, origin: SourceRun, variant: Variant) -> str:
    """Add the published model to the run that it came from, and register it.

    Args:
        published: the version's folder.
        manifest: of this version.
        origin: the run.
        variant: the form that was published.

    Returns:
        The version in MLflow's registry, where the model has the name under which it is published.

    Raises:
        ExportError: MLflow refused it; the version in the repository stays.

    """
    try:
        mlflow.set_experiment(
            experiment_id=origin.experiment_id
        )  # else MLflow logs the model elsewhere
        with contextlib.redirect_stderr(io.StringIO()):  # MLflow announces what it registers
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
                _metrics(manifest, variant, size), run_id=origin.run_id, model_id=logged.model_id
            )
            version = mlflow.register_model(
                f"models:/{logged.model_id}", manifest.name, tags=_tags(manifest, variant)
            )
        mlflow.MlflowClient().set_tag(
            origin.run_id, "published", f"{manifest.name}/{manifest.version}"
        )
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(
            f"{published} is published, but could not be recorded in MLflow:"
            f" {mlflow_store.first_line(error)}"
        ) from None
    return str(version.version)


def _metrics(manifest: Manifest, variant: Variant, size: int) -> dict[str, float]:
    """Metrics of the ONNX model; those of a variant have its prefix."""
    metrics = {"onnx_bytes": float(size)}
    metrics |= {f"us_per_row_{rows}": value for rows, value in manifest.us_per_row.items()}
    if parity := manifest.parity:
        metrics |= {
            "parity_rows": float(parity.rows),
            "parity_max_abs_difference": parity.max_abs_difference,
            "parity_mean_abs_difference": parity.mean_abs_difference or 0.0,
        }
        for name in ("top1_agreement", "max_abs_logit_difference", "mean_abs_logit_difference"):
            if (value := getattr(parity, name)) is not None:
                metrics[f"parity_{name}"] = value
    metrics |= {name: of for name, of in manifest.metrics.items() if name.startswith("test_")}
    scored = score.of_task(manifest.task)
    if (loss := scored.quantization_loss(manifest)) is not None:
        metrics[scored.loss_metric] = loss
    return {f"{variant.prefix}{name}": value for name, value in metrics.items()}


def _tags(manifest: Manifest, variant: Variant) -> dict[str, str]:
    """Tags of a version in the registry."""
    test = score.of_task(manifest.task).metric
    tags = {
        REPOSITORY_VERSION: str(manifest.version),
        ONNX_SHA256: manifest.files[layout.MODEL_FILE],
        "git_commit": manifest.git_commit,
        "dataset": manifest.dataset.name if manifest.dataset else None,
        **{name: manifest.metrics.get(name) for name in (test, test.replace("test_", "val_"))},
        "input": variant.input,
        "quantization": variant.method,
    }
    return {key: str(value) for key, value in tags.items() if value is not None}
