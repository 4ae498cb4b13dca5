"""``<root>/<name>/labels.json``: names for versions, and the traffic between them.

A label is a name and the number of a version, as in ``{"stable": 3}``. With
``{"champion": {"version": 3, "weight": 95}, "challenger": {"version": 4, "weight": 5}}`` requests
that name no version go to these two, in this proportion. ``"shadow": true`` has one label's version
compute the answers of the others, too, and compares them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bundle.errors import BundleError
from bundle.layout import is_name

LABELS_FILE = "labels.json"
LABEL_RULE = "use letters, digits, '.', '_' and '-', and not digits alone"
MAX_WEIGHT = 1_000_000

_FIELDS = {"version", "weight", "shadow"}
_EXPECTED = 'expected labels and version numbers, as in {"stable": 3}'


@dataclass(frozen=True)
class Labels:
    """The labels of a model."""

    versions: dict[str, int] = field(default_factory=dict)
    """The version of each label."""
    weights: dict[str, int] = field(default_factory=dict)
    """The share of each label that gets requests; empty if the newest version gets all."""
    shadow: str = ""
    """The label whose version is compared with the others; empty for none."""

    def to_json(self) -> bytes:
        """The content of the file: a number for a label with a version and nothing else."""
        document = {label: self._entry(label, version) for label, version in self.versions.items()}
        return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"

    def _entry(self, label: str, version: int) -> Any:
        entry: dict[str, Any] = {"version": version}
        if label in self.weights:
            entry["weight"] = self.weights[label]
        if label == self.shadow:
            entry["shadow"] = True
        return entry if len(entry) > 1 else version


def is_label(text: str) -> bool:
    """Whether a label may have this name."""
    return is_name(text) and not text.isdecimal()


def read(root: Path, name: str) -> Labels:
    """Read the labels of a model; there are none where there is no file.

    Raises:
        BundleError: the file is malformed.

    """
    path = root / name / LABELS_FILE
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise BundleError(f"{path}: not a file")
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Labels()
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: not JSON: {error}") from None
    try:
        return _parse(document)
    except ValueError as error:
        raise BundleError(f"{path}: {error}") from None


def _parse(document: Any) -> Labels:
    if not isinstance(document, dict) or not all(map(is_label, document)):
        raise ValueError(_EXPECTED)
    entries = {
        label: entry if isinstance(entry, dict) else {"version": entry}
        for label, entry in document.items()
    }
    for label, entry in entries.items():
        _check(label, entry)
    shadows = [label for label, entry in entries.items() if entry.get("shadow")]
    if len(shadows) > 1:
        raise ValueError(f"expected one shadow, got {' and '.join(shadows)}")
    weights = {label: entry["weight"] for label, entry in entries.items() if entry.get("weight")}
    return Labels(
        {label: entry["version"] for label, entry in entries.items()}, weights, "".join(shadows)
    )


def _check(label: str, entry: dict[str, Any]) -> None:
    version, weight, shadow = (entry.get(key) for key in ("version", "weight", "shadow"))
    if type(version) is not int or version < 1:
        raise ValueError(_EXPECTED)
    if unknown := sorted(entry.keys() - _FIELDS):
        raise ValueError(f"{label}: expected version, weight and shadow, got {unknown[0][:50]!r}")
    if weight is not None and not (type(weight) is int and 0 <= weight <= MAX_WEIGHT):
        raise ValueError(f"{label}: expected a whole number from 0 to {MAX_WEIGHT} as weight")
    if shadow is not None and type(shadow) is not bool:
        raise ValueError(f"{label}: expected true or false as shadow")
