"""Paths in a model repository: ``<root>/<name>/<version>/`` contains ``model.onnx``.

Triton, OpenVINO Model Server and TensorFlow Serving use the same layout: a version is a
positive integer, and the newest is the largest. Beside the versions, ``labels.json`` may name them;
see ``bundle.labels``.
"""

import re
from pathlib import Path

from bundle.errors import BundleError

MODEL_FILE = "model.onnx"
GOLDEN_FILE = "golden.npz"
MANIFEST_FILE = "manifest.json"
SIGNATURE_FILE = "model.sig"
NUMBERS_FILE = "published.txt"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[1-9][0-9]*")


def is_name(text: str) -> bool:
    """Whether a model may have this name."""
    return bool(_NAME.fullmatch(text))


def models(root: Path) -> list[str]:
    """Names of the folders under ``root`` that may hold a model, sorted."""
    if not root.is_dir():
        raise BundleError(f"{root}: no such folder; `python -m export` publishes a model into one")
    return sorted(entry.name for entry in root.iterdir() if is_name(entry.name) and entry.is_dir())


def versions(root: Path, name: str) -> list[int]:
    """Versions of a model, oldest first; empty if there are none."""
    folder = root / name
    if not is_name(name) or not folder.is_dir():
        return []
    return sorted(
        int(entry.name)
        for entry in folder.iterdir()
        if entry.is_dir() and _VERSION.fullmatch(entry.name)
    )


def fingerprint(root: Path, name: str, version: int) -> str:
    """A text that changes whenever a file of a version does; empty where the version is gone.

    It consists of what the file system says about the files. Hidden files don't count.
    """
    try:
        paths = sorted((root / name / str(version)).iterdir())
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{error.strerror}"
    return (
        "; ".join(_status_line(path) for path in paths if not path.name.startswith(".")) or "empty"
    )


def _status_line(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError as error:
        return f"{path.name} {error.strerror}"
    return f"{path.name} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns}"
