"""Aliases of versions: in MLflow's registry, and in the model repository for the server."""

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
class RegisteredVersion:
    """A version in MLflow's registry; an imported model has none."""

    version: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def registered(manifest: Manifest) -> RegisteredVersion:
    """Find a version in MLflow's registry: the newest one with the same graph and number.

    Raises:
        ExportError: the version came from a run, but MLflow does not have it.

    """
    if manifest.run_id is None:
        return RegisteredVersion()
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
            f" {manifest.version} of this repository. Is MLFLOW_TRACKING_URI the same as for the"
            " export? If it is, the export was interrupted: export the run again"
        )
    newest = max(found, key=lambda version: int(version.version))
    return RegisteredVersion(str(newest.version), newest.tags)


def assign(
    root: Path, name: str, alias: str, version: int, registered_version: RegisteredVersion
) -> None:
    """Assign ``alias`` to a version, in both places or in none.

    The repository decides, because the server reads it. If this process is killed between the two
    steps, MLflow is ahead until the next promotion or rollback.

    Args:
        root: the repository.
        name: of the model.
        alias: to assign; the version that has it now loses it.
        version: in the repository.
        registered_version: the same version in MLflow. If MLflow does not have it, the alias is
            removed there.

    Raises:
        ExportError: MLflow or the repository refuses it; then nothing has changed.

    """
    before = _alias(name, alias, registered_version)
    if before != registered_version.version:
        _set(name, alias, registered_version.version)
    try:
        writer.label(root, name, alias, version)
    except BaseException as error:
        if before != registered_version.version:
            _set(name, alias, before)
        if isinstance(error, BundleError | OSError):
            raise ExportError(str(error)) from None
        raise


def _alias(name: str, alias: str, registered_version: RegisteredVersion) -> str | None:
    """The version that has the alias in MLflow; None if there is no such model or alias."""
    if registered_version.version is None and mlflow_store.missing():
        return None  # there is no MLflow store
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


def record_forced(
    name: str, alias: str, registered_version: RegisteredVersion, reasons: Sequence[str]
) -> None:
    """Record in MLflow's registry which conditions a version with an alias does not meet.

    The tag is emptied once the version meets all of them.

    Raises:
        ExportError: MLflow refuses it; the version already has its alias.

    """
    tag = f"forced_{alias}"
    if registered_version.version is None or not (reasons or tag in registered_version.tags):
        return
    try:
        MlflowClient().set_model_version_tag(
            name, registered_version.version, tag, "; ".join(reasons)
        )
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(
            f"{name} has its alias {alias}, but the tag {tag} could not be set in MLflow:"
            f" {mlflow_store.first_line(error)}"
        ) from None
