"""Files that benchmarks leave: checked for before minutes of measuring, written after them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError


def make_folder(folder: Path) -> None:
    """Make it, where it is not there.

    Raises:
        BenchmarkError: it can't be.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchmarkError(f"{folder}: {error.strerror}") from None


def write(text: str, file: Path) -> None:
    """Write a text.

    Raises:
        BenchmarkError: it can't be written.

    """
    try:
        file.write_text(text)
    except OSError as error:
        raise BenchmarkError(f"{file}: {error.strerror}") from None


def write_json(document: Mapping[str, Any], file: Path) -> None:
    """Write JSON.

    Raises:
        BenchmarkError: as ``write``.

    """
    write(json.dumps(document, indent=1) + "\n", file)
