"""The shares of labels in the requests to a running server."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from bundle import labels, layout, writer
from bundle.errors import BundleError
from bundle.labels import Labels
from export.errors import ExportError


def share(root: Path, name: str, weights: Mapping[str, int], shadow: str | None) -> str:
    """Set the share of each label, and the shadow; running servers follow.

    Args:
        root: the model repository.
        name: of the model.
        weights: the share of each label; the newest version gets all requests if there are none.
        shadow: the label whose version is compared with the others, if any.

    Returns:
        What was set, for people.

    Raises:
        ExportError: a label or its version does not exist, or the file can't be written.

    """

    def shared(before: Labels) -> Labels:
        for label in (*weights, *([shadow] if shadow else [])):
            _check(root, name, label, before)
        kept = {label: weight for label, weight in weights.items() if weight}
        if weights and not kept:
            raise ExportError("all weights are 0; expected one that is not")
        return dataclasses.replace(before, weights=kept, shadow=shadow or "")

    try:
        return _told(writer.change_labels(root, name, shared))
    except BundleError as error:
        raise ExportError(str(error)) from None


def _check(root: Path, name: str, label: str, known: Labels) -> None:
    if label not in known.versions:
        there = ", ".join(sorted(known.versions)) or "none"
        raise ExportError(
            f"{name} has no label {label}; its labels are {there}."
            f" python -m export promote {name} VERSION --alias {label} assigns it"
        )
    if known.versions[label] not in layout.versions(root, name):
        raise ExportError(
            f"{labels.LABELS_FILE}: label {label} means version {known.versions[label]}, which does"
            " not exist"
        )


def _told(after: Labels) -> str:
    total = sum(after.weights.values())
    shares = [
        f"{label} (version {after.versions[label]}) gets {weight / total:.1%}"
        for label, weight in after.weights.items()
    ]
    told = ", ".join(shares) or "the newest version gets all"
    shadow = after.shadow
    return told + (f"; {shadow} (version {after.versions[shadow]}) is the shadow" if shadow else "")
