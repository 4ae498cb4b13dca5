"""What this is, and of what: for ``--version``."""

import os
import sys
from importlib import metadata

import serve

_PACKAGES = ("onnxruntime", "numpy", "flask", "waitress", "orjson", "pysimdjson")


def text() -> str:
    """Version, commit where it is known, and the versions of what does the work."""
    commit = os.environ.get("ONNXLET_COMMIT")
    lines = [f"onnxlet {serve.__version__}" + (f", commit {commit}" if commit else "")]
    lines.append(f"Python {sys.version.split()[0]}")
    lines += [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    return "\n".join(lines)
