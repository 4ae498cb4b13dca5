"""The text of ``--version``."""

import os
import sys
from importlib import metadata

import serve

_PACKAGES = ("onnxruntime", "numpy", "flask", "waitress", "orjson", "pysimdjson")


def text() -> str:
    """Version and commit of the server, and the versions of Python and the main packages."""
    commit = os.environ.get("ONNXLET_COMMIT")
    lines = [f"onnxlet {serve.__version__}" + (f", commit {commit}" if commit else "")]
    lines.append(f"Python {sys.version.split()[0]}")
    lines += [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    return "\n".join(lines)
