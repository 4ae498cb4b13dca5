"""An alias of a version: in MLflow's registry and, as a label, in the model repository."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from bundle import layout, writer
from bundle.errors import BundleError
from bundle.manifest import Manifest
from export import source_run
from export.errors import ExportError
from export.registry.mlflow_record import ONNX_SHA256, REPOSITORY_VERSION
from tracking import mlflow_store


@dataclass(frozen=True)
class Registered:
    """A version in MLflow's registry; without a number where it was made elsewhere."""

    version: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def registered(manifest: Manifest) -> Registered:
    """Find a version in MLflow's registry: the newest one that is this graph under this number.

    Raises:
        ExportError: it came from a run, and MLflow does not have it.

    """
    if manifest.run_id is None:
        return Registered()
    source_run.connect()
    try:
        found: list[ModelVersion] = MlflowClient().search_model_versions(
            f"name = '{manifest.name}'"
            f" and tags.{ONNX_SHA256} = '{manifest.files[layout.MODEL_FILE]}'"
            f" and tags.{REPOSITORY_VERSION} = '{manifest.version}'"
        )
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {mlflow_store.first_line(error)}") from None
    if not found:
        raise ExportError(
            f"MLflow's registry has no version of {manifest.name} that is version"
            f" {manifest.version} of this repository; python -m export registers what it"
            " publishes: is MLFLOW_TRACKING_URI the same? If it is, that export was cut off:"
            " export the run again"
        )
    newest = max(found, key=lambda version: int(version.version))
    return Registered(str(newest.version), newest.tags)


def give(root: Path, name: str, alias: str, version: int, there: Registered) -> None:
    """Give ``alias`` to a version, in both places or in none.

    The label in the repository decides, for servers read it; MLflow's alias follows it. Where this
    process is killed between the two, MLflow is ahead until the next promotion or rollback.

    Args:
        root: the repository.
        name: of the model.
        alias: to give; a version that has it loses it.
        version: of the repository.
        there: the same version in MLflow's registry; without a number it has none there, and
            a version that has the alias in MLflow loses it.

    Raises:
        ExportError: MLflow or the repository does not take it; nothing has changed then.

    """
    before = _alias(name, alias, there)
    if before != there.version:
        _set(name, alias, there.version)
    try:
        writer.label(root, name, alias, version)
    except BaseException as error:
        if before != there.version:
            _set(name, alias, before)
        if isinstance(error, BundleError | OSError):
            raise ExportError(str(error)) from None
        raise


def _alias(name: str, alias: str, there: Registered) -> str | None:
    """The version that has the alias in MLflow; None where it knows no such model or alias."""
    if there.version is None and mlflow_store.missing():
        return None  # there is no MLflow to ask
    source_run.connect()
    try:
        found = MlflowClient().search_registered_models(f"name = '{name}'")
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {mlflow_store.first_line(error)}") from None
    version = found[0].aliases.get(alias) if found else None
    return None if version is None else str(version)


def _set(name: str, alias: str, version: str | None) -> None:
    try:
        if version is None:
            MlflowClient().delete_registered_model_alias(name, alias)
        else:
            MlflowClient().set_registered_model_alias(name, alias, version)
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {mlflow_store.first_line(error)}") from None


def mark_forced(name: str, alias: str, there: Registered, reasons: Sequence[str]) -> None:
    """Tell of it in MLflow's registry that a version has an alias although it lacks something.

    The tag is emptied where it lacks nothing any more.

    Raises:
        ExportError: MLflow does not take it; the version has its alias already.

    """
    tag = f"forced_{alias}"
    if there.version is None or not (reasons or tag in there.tags):
        return
    try:
        MlflowClient().set_model_version_tag(name, there.version, tag, "; ".join(reasons))
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(
            f"{name} has its alias {alias}, but MLflow did not take the tag {tag}:"
            f" {mlflow_store.first_line(error)}"
        ) from None
