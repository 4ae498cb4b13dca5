"""One version of a model: read whole and checked, or published at once. It is never changed."""

import dataclasses
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bundle import layout
from bundle.errors import BundleError
from bundle.golden import Golden
from bundle.layout import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE
from bundle.manifest import Manifest


@dataclass(frozen=True)
class Bundle:
    """One version, read whole and checked. A plain ONNX folder has no manifest and no golden."""

    name: str
    version: int
    model: bytes
    manifest: Manifest | None
    golden: Golden | None


def read(root: Path, name: str, version: int) -> Bundle:
    """Read one version into memory and check every file against its SHA-256.

    Raises:
        BundleError: a file is missing, altered or malformed; the message names it.

    """
    folder = root / name / str(version)
    if not (folder / MANIFEST_FILE).is_file():
        if (folder / GOLDEN_FILE).exists():
            raise BundleError(f"{folder / MANIFEST_FILE}: missing")
        return Bundle(name, version, _bytes(folder / MODEL_FILE), None, None)
    manifest = _read_manifest(folder)
    files = {file: _checked(folder / file, sha256) for file, sha256 in manifest.files.items()}
    for file in (MODEL_FILE, GOLDEN_FILE):
        if file not in files:
            raise BundleError(f"{folder / MANIFEST_FILE}: names no {file}")
    try:
        golden = Golden.from_npz(files[GOLDEN_FILE])
    except BundleError as error:
        raise BundleError(f"{folder / GOLDEN_FILE}: {error}") from None
    return Bundle(name, version, files[MODEL_FILE], manifest, golden)


def publish(root: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Path:
    """Write ``files`` and their manifest as the next version of ``manifest.name``.

    The version and the checksums in ``manifest`` are set here. Everything is written to a
    hidden folder, flushed to disk and renamed, so that a reader sees a whole version or none,
    and of two writers at once each gets a version of its own.

    Returns:
        The version's folder.

    """
    if not layout.is_name(manifest.name):
        raise BundleError(
            f"model name {manifest.name!r}: use letters, digits, '.', '_' and '-',"
            " beginning with a letter or digit"
        )
    checksums = {file: hashlib.sha256(data).hexdigest() for file, data in files.items()}
    folder = root / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f".publishing-{secrets.token_hex(8)}"
    hidden.mkdir()
    try:
        for file, data in files.items():
            _write(hidden / file, data)
        version = max(layout.versions(root, manifest.name), default=0) + 1
        while True:
            numbered = dataclasses.replace(manifest, version=version, files=checksums)
            _write(hidden / MANIFEST_FILE, numbered.to_json())
            _sync(hidden)
            try:
                hidden.rename(folder / str(version))
                break
            except OSError:
                if not (folder / str(version)).exists():
                    raise
                version += 1  # somebody else published this one meanwhile
        _sync(folder)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return folder / str(version)


def label(root: Path, name: str, text: str, version: int) -> None:
    """Give a label to a version of ``name``, and take it from the one that has it.

    Raises:
        BundleError: there is no such version, it is no label, or the labels can't be changed.

    """
    if version not in layout.versions(root, name):
        raise BundleError(f"{root / name / str(version)}: no such version")
    if not layout.is_label(text):
        raise BundleError(f"label {text!r}: {layout.LABEL_RULE}")
    labels = layout.labels(root, name) | {text: version}
    path = root / name / layout.LABELS_FILE
    hidden = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        _write(hidden, json.dumps(labels, indent=2, sort_keys=True).encode() + b"\n")
        hidden.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from None
    finally:
        hidden.unlink(missing_ok=True)


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_FILE
    try:
        manifest = Manifest.from_json(_bytes(path))
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from None
    if any(Path(file).name != file for file in manifest.files):
        raise BundleError(f"{path}: names a file outside its own folder")
    return manifest


def _checked(path: Path, sha256: str) -> bytes:
    data = _bytes(path)
    actual = hashlib.sha256(data).hexdigest()
    if actual != sha256:
        raise BundleError(
            f"{path}: checksum mismatch: the manifest says {sha256[:12]}…,"
            f" the file has {actual[:12]}…; publish it again"
        )
    return data


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{path}: missing") from None
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
