"""Sign a published version with the reference library of OpenSSF model signing."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from model_signing import hashing, signing

from bundle import reader
from bundle.errors import BundleError
from bundle.layout import MANIFEST_FILE, SIGNATURE_FILE
from export.errors import ExportError
from export.versions.version_folder import locate, refuse_extra_files


def sign(folder: Path, key: Path) -> Path:
    """Sign every file of a version with a private key; returns the signature's file.

    Args:
        folder: the version, such as ``models/mnist/3``.
        key: PEM, on the curve P-256, P-384 or P-521, without a password.

    Raises:
        ExportError: the version is damaged or has no manifest, or the key can't be used.

    """
    root, name, version = locate(folder)
    try:
        bundle = reader.read_version(root, name, version)  # a damaged version must not be signed
    except BundleError as error:
        raise ExportError(str(error)) from None
    if bundle.manifest is None:
        raise ExportError(
            f"{folder}: has no {MANIFEST_FILE}, so a signature could not cover its name;"
            " python -m export import publishes a model with one"
        )
    path = root / name / str(version)
    refuse_extra_files(path, bundle.manifest)
    signer = _signer(key)
    hidden = path / f".{SIGNATURE_FILE}"  # so that readers never see half a signature
    files = hashing.Config()  # type: ignore[no-untyped-call]
    files.set_ignored_paths(paths=[path / SIGNATURE_FILE, hidden], ignore_git_paths=False)
    try:
        signer.set_hashing_config(files).sign(path, hidden)
        hidden.replace(path / SIGNATURE_FILE)
    except OSError as error:
        raise ExportError(f"{error.filename or folder}: {error.strerror}") from None
    finally:
        hidden.unlink(missing_ok=True)
    return folder / SIGNATURE_FILE


def _signer(key: Path) -> signing.Config:
    config = signing.Config()  # type: ignore[no-untyped-call]
    try:
        return config.use_elliptic_key_signer(private_key=key)
    except OSError as error:
        raise ExportError(f"{key}: {error.strerror}") from None
    # A key of another kind has no curve.
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm) as error:
        raise ExportError(
            f"{key}: not a private key in PEM, without a password, on the curve P-256, P-384 or"
            f" P-521: {str(error).partition('.')[0]}"
        ) from None
