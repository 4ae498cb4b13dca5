"""Presets: files of options under ``train/presets/`` that say why each value is as it is."""

import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "presets"
DEFAULT = "default"


def names() -> list[str]:
    """The presets that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> dict[str, Any]:
    """Options by their names: those of the preset, and the default's where it says nothing."""
    return _read(DEFAULT) | _read(name)


def _read(name: str) -> dict[str, Any]:
    values = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
