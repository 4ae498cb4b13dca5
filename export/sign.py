"""Signing a published version, with the reference library of OpenSSF model signing."""

from pathlib import Path

from model_signing import hashing, signing

from bundle import store
from bundle.errors import BundleError
from bundle.layout import SIGNATURE_FILE
from export.errors import ExportError
from export.place import located


def sign(folder: Path, key: Path) -> Path:
    """Sign every file of a version with a private key; returns the signature's file.

    Args:
        folder: of the version, such as ``models/mnist/3``.
        key: PEM, on the curve P-256, P-384 or P-521, without a password.

    Raises:
        ExportError: the version is not whole, or the key is none.

    """
    root, name, version = located(folder)
    try:
        store.read(root, name, version)  # nobody shall vouch for what is damaged
    except BundleError as error:
        raise ExportError(str(error)) from None
    signature = folder / SIGNATURE_FILE
    hidden = folder / f".{SIGNATURE_FILE}"  # a reader sees a whole signature, or the one before
    files = hashing.Config()  # type: ignore[no-untyped-call]
    files.set_ignored_paths(paths=[signature, hidden], ignore_git_paths=False)
    try:
        signer = signing.Config()  # type: ignore[no-untyped-call]
        signer.use_elliptic_key_signer(private_key=key)
        signer.set_hashing_config(files).sign(folder, hidden)
        hidden.replace(signature)
    except OSError as error:
        raise ExportError(f"{error.filename or folder}: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise ExportError(
            f"{key}: not a private key in PEM, without a password, on the curve P-256, P-384 or"
            f" P-521: {str(error).partition('.')[0]}"
        ) from None
    finally:
        hidden.unlink(missing_ok=True)
    return signature
