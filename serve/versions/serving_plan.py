"""Which versions all workers serve. The supervisor writes the plan, and each worker follows it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

UNLOADED = "unloaded"
"""The reason of a version that was unloaded on request, as in Triton."""

_FILE = "plan.json"


class VersionId(NamedTuple):
    """One version of a model, with the files that it has at one time."""

    name: str
    version: int
    fingerprint: str
    """See ``bundle.layout.fingerprint``."""


@dataclass(frozen=True)
class PlannedVersion:
    """One version of a model in the plan."""

    fingerprint: str = ""
    """Of the files that are served; empty if the version is not served."""
    reason: str = ""
    """Why its current files can't be served; empty if they can."""


@dataclass(frozen=True)
class PlannedModel:
    """One model in the plan."""

    versions: dict[int, PlannedVersion] = field(default_factory=dict)
    """Oldest first."""
    labels: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    """The share of each label in the requests that name no version; see ``bundle.labels``."""
    shadow: str = ""
    """The label whose version is compared with the others; empty for none."""
    problem: str = ""
    """Why the labels differ from those in the repository; empty if they do not."""

    @property
    def ready(self) -> list[int]:
        """The versions that are served, oldest first."""
        return [number for number, version in self.versions.items() if version.fingerprint]

    @property
    def failed(self) -> dict[int, str]:
        """The other versions, each with the reason."""
        return {
            number: version.reason
            for number, version in self.versions.items()
            if not version.fingerprint
        }

    def fingerprint(self, number: int) -> str:
        """Fingerprint of the served files of a version; empty if it is not served."""
        return self.versions.get(number, PlannedVersion()).fingerprint

    def reason(self, number: int) -> str:
        """Why the current files of a version can't be served; empty if they can."""
        return self.versions.get(number, PlannedVersion()).reason


@dataclass(frozen=True)
class ServingPlan:
    """All models. A plan is never changed, only replaced by a new one."""

    number: int = 0
    """Each plan has a larger number than the one before."""
    models: dict[str, PlannedModel] = field(default_factory=dict)
    default: str | None = None
    """The model for requests that name none."""

    def __str__(self) -> str:
        return ", ".join(f"{name} version {version}" for name, version, _ in self.served())

    def served(self) -> Iterator[VersionId]:
        """All versions that are served."""
        for name, planned in self.models.items():
            for number in planned.ready:
                yield VersionId(name, number, planned.fingerprint(number))

    def fault(self, name: str | None) -> str:
        """Why no model, or not the model ``name``, can be served; empty if one can."""
        needed = [self.models[known] for known in self.models if name in (None, known)]
        if any(planned.ready for planned in needed):
            return ""
        reasons = [version.reason for model in needed for version in model.versions.values()]
        reasons += [model.problem for model in needed]
        return next(filter(None, reasons), "there is no version of a model")

    def write(self, folder: Path) -> None:
        """Replace the plan in the shared folder."""
        new = folder / f".{_FILE}"
        new.write_text(json.dumps(asdict(self)))
        new.replace(folder / _FILE)


def read(folder: Path) -> ServingPlan:
    """Read the plan from the shared folder."""
    document = json.loads((folder / _FILE).read_bytes())
    models = {name: _from_json(planned) for name, planned in document["models"].items()}
    return ServingPlan(document["number"], models, document["default"])


def _from_json(document: dict[str, Any]) -> PlannedModel:
    """Parse a model; the keys of JSON objects are strings."""
    versions = {
        int(number): PlannedVersion(**version)
        for number, version in document.pop("versions").items()
    }
    return PlannedModel(versions, **document)


def changes(before: ServingPlan, after: ServingPlan) -> Iterator[str]:
    """Messages about what is served from now on, and what no longer is."""
    for name, old, new in _both(before, after):
        for number in sorted({*old.versions, *new.versions}):
            if new.fingerprint(number) not in ("", old.fingerprint(number)):
                yield f"{name} version {number} is served"
            elif old.fingerprint(number) and not new.fingerprint(number):
                yield f"{name} version {number} is no longer served"
        yield from (f"{name}: {change}" for change in _changes_of_labels(old, new))


def _changes_of_labels(old: PlannedModel, new: PlannedModel) -> Iterator[str]:
    for label in sorted({*old.labels, *new.labels}):
        number = new.labels.get(label, 0)
        if not number:
            yield f"label {label} is removed"
        elif number != old.labels.get(label) and new.fingerprint(number):
            yield f"label {label} now means version {number}"
    if old.weights != new.weights:
        shares = ", ".join(f"{label} {weight}" for label, weight in new.weights.items())
        yield f"requests without a version go to {shares or 'the newest version'}"
    if old.shadow != new.shadow:
        yield f"the shadow is {new.shadow or 'no version'}"


def problems(before: ServingPlan, after: ServingPlan) -> Iterator[str]:
    """Messages about what can't be served, except those that held before."""
    for name, old, new in _both(before, after):
        for number in new.versions:
            why = new.reason(number)
            if why not in ("", UNLOADED, old.reason(number)):
                stays = "; the loaded version stays in service" if new.fingerprint(number) else ""
                yield f"not served: {why}{stays}"
        if new.problem not in ("", old.problem):
            yield new.problem
        for label, number in new.labels.items():
            if not new.fingerprint(number) and old.labels.get(label) != number:
                yield f"{name}: label {label} means version {number}, which is not served"


def _both(
    before: ServingPlan, after: ServingPlan
) -> Iterator[tuple[str, PlannedModel, PlannedModel]]:
    for name in sorted({*before.models, *after.models}):
        old, new = before.models.get(name, PlannedModel()), after.models.get(name, PlannedModel())
        yield name, old, new
