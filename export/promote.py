"""Naming the version that is to be used, in the model repository and in MLflow at once."""

from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from bundle import layout, store
from bundle.errors import BundleError
from bundle.manifest import Manifest
from export.errors import ExportError
from export.record import ONNX_SHA256, REPOSITORY_VERSION
from train import tracking


def promote(root: Path, name: str, version: int, alias: str) -> str:
    """Give ``alias`` to a version: as MLflow's alias, and as the repository's label.

    Returns:
        The version's number in MLflow's registry.

    Raises:
        ExportError: the version is not whole, or MLflow has not registered it, or does not take
            the alias; nothing has changed then.

    """
    if version not in (known := layout.versions(root, name)):
        has = ", ".join(map(str, known)) or "none"
        raise ExportError(f"{root / name} has no version {version}; it has {has}")
    try:
        manifest = store.read(root, name, version).manifest
        layout.labels(root, name)  # which must be readable before it is changed
    except BundleError as error:
        raise ExportError(str(error)) from None
    if manifest is None or manifest.name != name:
        raise ExportError(
            f"{root / name / str(version)} was not published as {name} by python -m export"
        )
    if not layout.is_label(alias):
        raise ExportError(f"alias {alias!r}: {layout.LABEL_RULE}")
    client = MlflowClient()
    try:
        registered = _registered(client, manifest)
        before = client.get_registered_model(name).aliases.get(alias)
        client.set_registered_model_alias(name, alias, registered.version)
    except tracking.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {tracking.first_line(error)}") from None
    try:
        store.label(root, name, alias, version)
    except BaseException as error:
        _restore(client, name, alias, before)
        if isinstance(error, BundleError):
            raise ExportError(str(error)) from None
        raise
    return str(registered.version)


def _restore(client: MlflowClient, name: str, alias: str, version: str | None) -> None:
    if version is None:
        client.delete_registered_model_alias(name, alias)
    else:
        client.set_registered_model_alias(name, alias, version)


def _registered(client: MlflowClient, manifest: Manifest) -> ModelVersion:
    """The newest registered version that is this graph under this number."""
    found = client.search_model_versions(
        f"name = '{manifest.name}'"
        f" and tags.{ONNX_SHA256} = '{manifest.files[layout.MODEL_FILE]}'"
        f" and tags.{REPOSITORY_VERSION} = '{manifest.version}'"
    )
    if not found:
        raise ExportError(
            f"MLflow's registry has no version of {manifest.name} that is version"
            f" {manifest.version} of this repository; python -m export registers what it"
            " publishes: is MLFLOW_TRACKING_URI the same?"
        )
    return max(found, key=lambda version: int(version.version))
