"""Presets: files of options in ``train/presets/``, with the reason for each value."""

import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "presets"
DEFAULT = "default"


def names() -> list[str]:
    """The names of all presets."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> dict[str, Any]:
    """The options of a preset by name; those of the default preset where it has none."""
    return _read(DEFAULT) | _read(name)


def _read(name: str) -> dict[str, Any]:
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
