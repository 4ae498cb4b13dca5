"""What all workers shall serve: the supervisor writes it, each worker follows it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

UNLOADED = "unloaded"
"""The reason why a version is not served, where that was asked for; Triton's word."""

_FILE = "plan.json"


class VersionId(NamedTuple):
    """The files of one version, as they are at one time."""

    name: str
    version: int
    fingerprint: str
    """See ``bundle.layout.fingerprint``."""


@dataclass(frozen=True)
class PlannedVersion:
    """One version of a model."""

    fingerprint: str = ""
    """Of the files that are served; empty where none are."""
    reason: str = ""
    """Why the files that lie there can't be served; empty where they can."""


@dataclass(frozen=True)
class PlannedModel:
    """One model."""

    versions: dict[int, PlannedVersion] = field(default_factory=dict)
    """Oldest first."""
    labels: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    """Why labels are not as they lie there."""

    @property
    def ready(self) -> list[int]:
        """The versions that are served, oldest first."""
        return [number for number, version in self.versions.items() if version.fingerprint]

    @property
    def failed(self) -> dict[int, str]:
        """Why the other versions are not."""
        return {
            number: version.reason
            for number, version in self.versions.items()
            if not version.fingerprint
        }

    def fingerprint(self, number: int) -> str:
        """Of the files of a version that are served; empty where none are."""
        return self.versions.get(number, PlannedVersion()).fingerprint

    def reason(self, number: int) -> str:
        """Why the files of a version that lie there can't be served; empty where they can."""
        return self.versions.get(number, PlannedVersion()).reason


@dataclass(frozen=True)
class ServingPlan:
    """All models. It is never changed; another takes its place."""

    number: int = 0
    """Larger than that of any plan before."""
    models: dict[str, PlannedModel] = field(default_factory=dict)
    default: str | None = None
    """The model that is meant where a request names none."""

    def __str__(self) -> str:
        return ", ".join(f"{name} version {version}" for name, version, _ in self.served())

    def served(self) -> Iterator[VersionId]:
        """What is served."""
        for name, planned in self.models.items():
            for number in planned.ready:
                yield VersionId(name, number, planned.fingerprint(number))

    def fault(self, name: str | None) -> str:
        """Why nothing can be served, or not the model ``name``; empty where it can."""
        needed = [self.models[known] for known in self.models if name in (None, known)]
        if any(planned.ready for planned in needed):
            return ""
        reasons = [version.reason for model in needed for version in model.versions.values()]
        reasons += [model.problem for model in needed]
        return next(filter(None, reasons), "there is no version of a model")

    def write(self, folder: Path) -> None:
        """Put it into the folder that workers share, in place of the one before."""
        new = folder / f".{_FILE}"
        new.write_text(json.dumps(asdict(self)))
        new.replace(folder / _FILE)


def read(folder: Path) -> ServingPlan:
    """The plan in the folder that workers share."""
    document = json.loads((folder / _FILE).read_bytes())
    models = {name: _planned(**planned) for name, planned in document["models"].items()}
    return ServingPlan(document["number"], models, document["default"])


def _planned(
    versions: dict[str, dict[str, str]], labels: dict[str, int], problem: str
) -> PlannedModel:
    """From JSON, whose keys are texts."""
    known = {int(number): PlannedVersion(**told) for number, told in versions.items()}
    return PlannedModel(known, labels, problem)


def changes(before: ServingPlan, after: ServingPlan) -> Iterator[str]:
    """What is served now and was not, or the other way round, in words."""
    for name, old, new in _both(before, after):
        for number in sorted({*old.versions, *new.versions}):
            if new.fingerprint(number) not in ("", old.fingerprint(number)):
                yield f"{name} version {number} is served"
            elif old.fingerprint(number) and not new.fingerprint(number):
                yield f"{name} version {number} is no longer served"
        for label in sorted({*old.labels, *new.labels}):
            number = new.labels.get(label, 0)
            if not number:
                yield f"{name}: label {label} is gone"
            elif number != old.labels.get(label) and new.fingerprint(number):
                yield f"{name}: label {label} is for version {number}"


def problems(before: ServingPlan, after: ServingPlan) -> Iterator[str]:
    """What can't be served, in words, as far as it is new."""
    for name, old, new in _both(before, after):
        for number in new.versions:
            why = new.reason(number)
            if why not in ("", UNLOADED, old.reason(number)):
                goes_on = "; what was loaded before goes on" if new.fingerprint(number) else ""
                yield f"not served: {why}{goes_on}"
        if new.problem not in ("", old.problem):
            yield new.problem
        for label, number in new.labels.items():
            if not new.fingerprint(number) and old.labels.get(label) != number:
                yield f"{name}: label {label} is for version {number}, which is not served"


def _both(
    before: ServingPlan, after: ServingPlan
) -> Iterator[tuple[str, PlannedModel, PlannedModel]]:
    for name in sorted({*before.models, *after.models}):
        yield name, before.models.get(name, PlannedModel()), after.models.get(name, PlannedModel())
