"""Reading one version of a model, with all its checks."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bundle.errors import BundleError
from bundle.golden import Golden
from bundle.layout import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE
from bundle.manifest import Manifest


@dataclass(frozen=True)
class Bundle:
    """One version in memory, checked. A plain ONNX folder has no manifest and no golden."""

    name: str
    version: int
    model: bytes
    manifest: Manifest | None
    golden: Golden | None


def read_version(root: Path, name: str, version: int, key: Path | None = None) -> Bundle:
    """Read one version into memory and check every file against its SHA-256.

    Args:
        root: the repository.
        name: of the model.
        version: of the model.
        key: a public key; the version must be signed with its private one, with a manifest
            that has this name and number.

    Raises:
        BundleError: a file is missing, altered, not signed or malformed; the message names it.

    """
    folder = root / name / str(version)
    signed = _signed(folder, key)
    if not (folder / MANIFEST_FILE).is_file():
        if (folder / GOLDEN_FILE).exists() or MANIFEST_FILE in (signed or ()):
            raise BundleError(f"{folder / MANIFEST_FILE}: missing")
        if signed is not None:
            raise BundleError(
                f"{folder}: the signature does not say which version of which model this is, for"
                f" there is no {MANIFEST_FILE}"
            )
        return Bundle(name, version, _vouched(folder / MODEL_FILE, signed), None, None)
    manifest = _manifest(folder / MANIFEST_FILE, _vouched(folder / MANIFEST_FILE, signed))
    if signed is not None and (manifest.name, manifest.version) != (name, version):
        raise BundleError(
            f"{folder}: was signed as version {manifest.version} of {manifest.name}, not as this"
        )
    files = {file: _checked(folder / file, sha256) for file, sha256 in manifest.files.items()}
    for file in (MODEL_FILE, GOLDEN_FILE):
        if file not in files:
            raise BundleError(f"{folder / MANIFEST_FILE}: names no {file}")
    try:
        golden = Golden.from_npz(files[GOLDEN_FILE], manifest.golden_tolerance)
    except BundleError as error:
        raise BundleError(f"{folder / GOLDEN_FILE}: {error}") from None
    return Bundle(name, version, files[MODEL_FILE], manifest, golden)


def _signed(folder: Path, key: Path | None) -> Mapping[str, str] | None:
    """SHA-256 of each file that is signed; None where no signature is asked for."""
    if key is None:
        return None
    from bundle.signing import signed_files  # for those who ask for it

    return signed_files(folder, key)


def _vouched(path: Path, signed: Mapping[str, str] | None) -> bytes:
    """A file that a signature must hold for where one is asked for.

    The manifest, which has the checksums of the other files, vouches for them in turn.
    """
    data = _bytes(path)
    if signed is not None and signed.get(path.name) != hashlib.sha256(data).hexdigest():
        was = "altered after it was signed" if path.name in signed else "not signed"
        raise BundleError(f"{path}: {was}")
    return data


def _manifest(path: Path, data: bytes) -> Manifest:
    try:
        manifest = Manifest.from_json(data)
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
