"""Presets: files of options in ``train/presets/``, with the reason for each value."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train import data_options

FOLDER = Path(__file__).parent / "presets"
DEFAULT = "default"
SMALL = "small"


def names() -> list[str]:
    """The names of all presets."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def default_for(data: Sequence[str]) -> str:
    """The preset of runs that name none."""
    return SMALL if data_options.are_small(data) else DEFAULT


def load(name: str) -> dict[str, Any]:
    """The options of a preset by name; those of the default preset where it has none."""
    return _read(DEFAULT) | _read(name)


def _read(name: str) -> dict[str, Any]:
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
