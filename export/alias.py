"""An alias of a version: in MLflow's registry and, as a label, in the model repository."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from bundle import layout, writer
from bundle.errors import BundleError
from bundle.manifest import Manifest
from export import source
from export.errors import ExportError
from export.record import ONNX_SHA256, REPOSITORY_VERSION
from train import tracking


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
    source.connect()
    try:
        found: list[ModelVersion] = MlflowClient().search_model_versions(
            f"name = '{manifest.name}'"
            f" and tags.{ONNX_SHA256} = '{manifest.files[layout.MODEL_FILE]}'"
            f" and tags.{REPOSITORY_VERSION} = '{manifest.version}'"
        )
    except tracking.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {tracking.first_line(error)}") from None
    if not found:
        raise ExportError(
            f"MLflow's registry has no version of {manifest.name} that is version"
            f" {manifest.version} of this repository; python -m export registers what it"
            " publishes: is MLFLOW_TRACKING_URI the same?"
        )
    newest = max(found, key=lambda version: int(version.version))
    return Registered(str(newest.version), newest.tags)


def give(root: Path, name: str, alias: str, version: int, there: Registered) -> None:
    """Give ``alias`` to a version, in both places or in none.

    Args:
        root: the repository.
        name: of the model.
        alias: to give; a version that has it loses it.
        version: of the repository.
        there: the same version in MLflow's registry; without a number, only the label is given.

    Raises:
        ExportError: MLflow or the repository does not take it; nothing has changed then.

    """
    client = MlflowClient() if there.version else None
    before = _swap(client, name, alias, there.version) if client and there.version else None
    try:
        writer.label(root, name, alias, version)
    except BaseException as error:
        if client:
            _restore(client, name, alias, before)
        if isinstance(error, BundleError):
            raise ExportError(str(error)) from None
        raise


def _swap(client: MlflowClient, name: str, alias: str, version: str) -> str | None:
    try:
        before: str | None = client.get_registered_model(name).aliases.get(alias)
        client.set_registered_model_alias(name, alias, version)
    except tracking.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {tracking.first_line(error)}") from None
    return before


def _restore(client: MlflowClient, name: str, alias: str, version: str | None) -> None:
    if version is None:
        client.delete_registered_model_alias(name, alias)
    else:
        client.set_registered_model_alias(name, alias, version)


def mark_forced(name: str, alias: str, there: Registered, reasons: list[str]) -> None:
    """Tell of it in MLflow's registry that a version has an alias although it lacks something.

    The tag is emptied where it lacks nothing any more.
    """
    tag = f"forced_{alias}"
    if there.version is None or not (reasons or tag in there.tags):
        return
    try:
        MlflowClient().set_model_version_tag(name, there.version, tag, "; ".join(reasons))
    except tracking.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {tracking.first_line(error)}") from None
