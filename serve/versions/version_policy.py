"""Which versions shall be served: from what lies there, what trials have shown, what was asked.

A bad version never replaces a good one, and no model loses its last good one to a bad one:

- a version whose trial fails is left out, and its reason told, until its files change;
- where files in service change and are bad, what was loaded before goes on, until a worker has to
  load them anew and can't;
- a label stays where it was while the version that it shall go to can't be served.
"""

from serve.versions.repository_scan import FoundModel
from serve.versions.serving_plan import (
    UNLOADED,
    PlannedModel,
    PlannedVersion,
    ServingPlan,
    VersionId,
)


class _UntriedError(Exception):
    """What to serve is known only after a trial."""

    def __init__(self, version_id: VersionId) -> None:
        self.version_id = version_id


class VersionPolicy:
    """Makes the plan."""

    def __init__(self, newest: int, name: str | None) -> None:
        """Know nothing as yet.

        Args:
            newest: so many versions of each model are served, beside the labelled ones.
            name: the model that is meant where a request names none; None for the only one.

        """
        self._newest = newest
        self._name = name
        self._found: dict[str, FoundModel] = {}
        self._verdicts: dict[VersionId, str] = {}
        self._suspects: set[VersionId] = set()
        self._dropped: set[VersionId] = set()
        self._unloaded: set[str] = set()
        # Asked for at each turn of the supervisor, and made anew only after a change.
        self._choices: dict[str, PlannedModel | VersionId] | None = None
        self._is_planned = False
        self.plan = ServingPlan()

    def update(self, found: dict[str, FoundModel]) -> None:
        """Take in what the repository holds now."""
        self._found = found
        known = {*self.plan.served()} | {
            VersionId(name, number, fingerprint)
            for name, model in found.items()
            for number, fingerprint in model.versions.items()
        }
        self._verdicts = {one: reason for one, reason in self._verdicts.items() if one in known}
        self._suspects &= known
        self._dropped &= known
        self._forget_choices()

    def set_verdict(self, version_id: VersionId, reason: str) -> None:
        """Take in what a trial has shown: why it can't be served, or empty where it can."""
        self._verdicts[version_id] = reason
        if not reason:
            self._suspects.discard(version_id)
            self._dropped.discard(version_id)
        self._forget_choices()

    def suspect(self, name: str, version: int) -> None:
        """Have a version tried again, for a worker can't load it."""
        served = VersionId(name, version, self._before(name).fingerprint(version))
        self._verdicts.pop(served, None)
        self._suspects.add(served)
        self._forget_choices()

    def is_suspect(self, name: str, version: int) -> bool:
        """Is a version of the plan in doubt?"""
        return VersionId(name, version, self._before(name).fingerprint(version)) in self._suspects

    def drop(self, next_missing: set[tuple[str, int]]) -> None:
        """Give up what no worker has, where its files are bad."""
        dropped = {version_id for version_id in self._suspects if version_id[:2] in next_missing}
        if dropped != self._dropped:
            self._dropped = dropped
            self._forget_choices()

    def unload(self, name: str) -> None:
        """Serve no version of a model until it is loaded."""
        self._unloaded.add(name)
        self._forget_choices()

    def has_model(self, name: str) -> bool:
        """Is there such a model, served or not?"""
        return name in self._found or name in self.plan.models

    def load(self, name: str) -> None:
        """Serve a model again, and try again what failed."""
        self._unloaded.discard(name)
        self.forget_failures(name)

    def forget_failures(self, name: str | None = None) -> None:
        """Have all be tried again that failed, of one model or of all."""
        self._verdicts = {
            version_id: reason
            for version_id, reason in self._verdicts.items()
            if not reason or name not in (None, version_id.name)
        }
        self._forget_choices()

    def next_unvalidated(self, name: str | None = None) -> VersionId | None:
        """What is to be tried next, of one model or of all."""
        for known, choice in self._chosen().items():
            if isinstance(choice, VersionId) and name in (None, known):
                return choice
        return None

    def make_plan(self) -> ServingPlan:
        """Make the plan of all that is known; it is the same object where nothing changes."""
        if self._is_planned:
            return self.plan
        models = {name: self._plan(name) for name in sorted(self._found)}
        models = {name: model for name, model in models.items() if model.versions or model.problem}
        default = self._default(models)
        if (models, default) != (self.plan.models, self.plan.default):
            self.plan = ServingPlan(self.plan.number + 1, models, default)
            self._forget_choices()  # which depend on what is served
        self._is_planned = True
        return self.plan

    def _forget_choices(self) -> None:
        self._choices = None
        self._is_planned = False

    def _chosen(self) -> dict[str, PlannedModel | VersionId]:
        """What to serve of each model, or what is to be tried before that is known."""
        if self._choices is None:
            self._choices = {
                name: self._choice(name) for name in sorted(self._found.keys() - self._unloaded)
            }
        return self._choices

    def _choice(self, name: str) -> PlannedModel | VersionId:
        try:
            return self._choose(name)
        except _UntriedError as error:
            return error.version_id

    def _default(self, models: dict[str, PlannedModel]) -> str | None:
        if self._name or self.plan.default in models:  # a second model does not change it
            return self._name or self.plan.default
        return next(iter(models)) if len(models) == 1 else None

    def _before(self, name: str) -> PlannedModel:
        return self.plan.models.get(name, PlannedModel())

    def _plan(self, name: str) -> PlannedModel:
        before = self._before(name)
        if name in self._unloaded:
            return PlannedModel(
                {number: PlannedVersion(reason=UNLOADED) for number in before.versions}
            )
        planned = self._chosen()[name]
        if isinstance(planned, VersionId):
            return before
        if planned.ready:
            return planned
        kept = {
            number: PlannedVersion(before.fingerprint(number), planned.reason(number))
            for number in before.ready
            if VersionId(name, number, before.fingerprint(number)) not in self._dropped
        }
        versions = dict(sorted((planned.versions | kept).items()))
        return PlannedModel(versions, planned.labels, planned.problem)

    def _choose(self, name: str) -> PlannedModel:
        """The versions that have a label, and the newest ones that can be served.

        Raises:
            _UntriedError: that is not known as yet.

        """
        found, before = self._found[name], self._before(name)
        versions: dict[int, PlannedVersion] = {}

        def can_be_served(number: int) -> bool:
            if number not in versions:
                versions[number] = self._assess(name, number)
            return bool(versions[number].fingerprint)

        labels = {}
        problems = [found.problem] if found.problem else []
        for label, number in (before.labels if found.problem else found.labels).items():
            labels[label] = number if can_be_served(number) else before.labels.get(label, number)
            if labels[label] != number and can_be_served(labels[label]):
                problems.append(
                    f"{name}: label {label} stays with version {labels[label]}, for version"
                    f" {number} can't be served"
                )
        left = self._newest
        for number in reversed(found.versions):
            if not left:
                break
            left -= can_be_served(number)
        there = {
            number: version for number, version in versions.items() if version != PlannedVersion()
        }
        return PlannedModel(dict(sorted(there.items())), labels, "; ".join(problems))

    def _assess(self, name: str, number: int) -> PlannedVersion:
        fingerprint = self._found[name].versions.get(number, "")
        if not fingerprint:
            return PlannedVersion()
        version_id = VersionId(name, number, fingerprint)
        if version_id not in self._verdicts:
            raise _UntriedError(version_id)
        reason = self._verdicts[version_id]
        if not reason:
            return PlannedVersion(fingerprint)
        loaded = self._before(name).fingerprint(number)
        doubted = VersionId(name, number, loaded) in self._suspects
        return PlannedVersion("" if doubted else loaded, reason)
