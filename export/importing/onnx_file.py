"""Models that are ONNX already."""

from importlib import metadata
from pathlib import Path

import onnx

from export.errors import ExportError
from export.importing.converted import Converted

_PACKAGES = ("onnx", "onnxruntime", "numpy")


def load(file: Path) -> Converted:
    """Load a model, with its weights if they are in files of their own.

    Raises:
        ExportError: it can't be read, or is not ONNX.

    """
    try:
        model = onnx.load(file)
    except OSError as error:
        raise ExportError(f"{file}: {error.strerror}") from None
    except Exception as error:  # protobuf's DecodeError, and the checker's own
        raise ExportError(f"{file}: not an ONNX model: {error}") from None
    return Converted(model, tools={package: metadata.version(package) for package in _PACKAGES})
