"""JSON files of whatever was measured."""

import json
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram


def write_json(document: Any, file: Path) -> None:
    """Write dictionaries, lists and dataclasses; histograms in HdrHistogram's compressed form."""
    file.write_text(json.dumps(document, indent=1, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    return value.encode().decode() if isinstance(value, HdrHistogram) else vars(value)
