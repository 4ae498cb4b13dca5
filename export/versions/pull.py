"""Copying a version from an object store, or from another folder, into a model repository."""

import tempfile
from pathlib import Path

import mlflow.artifacts

from bundle import labels, layout, reader, writer
from bundle.errors import BundleError
from export.errors import ExportError
from export.versions.version_folder import refuse_extra_files
from tracking import mlflow_store


def pull(source: str, name: str, wanted: str, root: Path, key: Path | None) -> Path:
    """Copy a version, check it, and publish it under its own number. A label comes with it.

    Args:
        source: URL of a model repository in any store that MLflow reads: s3://bucket/models.
        name: of the model.
        wanted: the number of the version, or a label that the source has for it.
        root: the repository to copy into.
        key: a public key; the version must be signed with its private one.

    Returns:
        The version's folder. If it was there already, it is only checked.

    Raises:
        ExportError: the version is not there, or a check failed. The repository is unchanged then.

    """
    if not layout.is_name(name):
        raise ExportError(f"{name}: not the name of a model")
    root.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".pulling-", dir=root) as hidden:
            arrived = Path(hidden)
            version = _number(f"{source.rstrip('/')}/{name}", wanted, arrived, name)
            target = root / name / str(version)
            if not target.exists():
                _download(f"{source.rstrip('/')}/{name}/{version}", arrived / name)
                _check(arrived, name, version, key)
                writer.place(root, name, version, arrived / name / str(version))
        _check(root, name, version, key)
        if not wanted.isdecimal():
            writer.label(root, name, wanted, version)
    except BundleError as error:
        raise ExportError(str(error)) from None
    return target


def _number(source: str, wanted: str, arrived: Path, name: str) -> int:
    if wanted.isdecimal():
        return int(wanted)
    _download(f"{source}/{labels.LABELS_FILE}", arrived / name)
    known = labels.read(arrived, name).versions
    if wanted not in known:
        names = ", ".join(sorted(known)) or "none"
        raise ExportError(f"{source}: no label {wanted}; expected one of its labels: {names}")
    return known[wanted]


def _download(url: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        mlflow.artifacts.download_artifacts(artifact_uri=url, dst_path=str(folder))
    except Exception as error:  # each store has errors of its own
        raise ExportError(f"{url}: {mlflow_store.first_line(error)}") from None


def _check(root: Path, name: str, version: int, key: Path | None) -> None:
    bundle = reader.read_version(root, name, version, key)
    refuse_extra_files(root / name / str(version), bundle.manifest)
