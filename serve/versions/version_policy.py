"""Decides which versions are served.

It knows what the repository contains, which versions are valid, and which models were unloaded. A
version that is not valid never replaces a valid one:

- A version that fails is not served, and the reason is reported. It is validated again when its
  files change or when somebody asks for it.
- If the files of a served version change and are not valid, the loaded version stays in service.
- The last served version of a model stays in service until another one can be served.
- A label stays at its version until the new version can be served.
"""

import dataclasses

from serve.versions.repository_scan import FoundModel
from serve.versions.serving_plan import (
    UNLOADED,
    PlannedModel,
    PlannedVersion,
    ServingPlan,
    VersionId,
)


class _NotValidatedError(Exception):
    """The decision depends on a version that is not validated yet."""

    def __init__(self, version_id: VersionId) -> None:
        self.version_id = version_id


class VersionPolicy:
    """Makes the serving plan."""

    def __init__(self, latest: int, default_model: str | None) -> None:
        """Know no models yet.

        Args:
            latest: number of latest versions of each model to serve, besides the labelled ones.
            default_model: the model for requests that name none; None for the only model.

        """
        self._latest = latest
        self._default_model = default_model
        self._found: dict[str, FoundModel] = {}
        self._verdicts: dict[VersionId, str] = {}
        self._unloaded: set[str] = set()
        # Computed again only after a change, because the supervisor asks in every turn.
        self._choices: dict[str, PlannedModel | VersionId] | None = None
        self._is_planned = False
        self.plan = ServingPlan()

    def update(self, found: dict[str, FoundModel]) -> None:
        """Take the result of a scan of the repository."""
        self._found = found
        known = {*self.plan.served()} | {
            VersionId(name, number, fingerprint)
            for name, model in found.items()
            for number, fingerprint in model.versions.items()
        }
        self._verdicts = {one: reason for one, reason in self._verdicts.items() if one in known}
        self._forget_choices()

    def set_verdict(self, version_id: VersionId, reason: str) -> None:
        """Take the result of a validation: why a version can't be served, or empty if it can."""
        self._verdicts[version_id] = reason
        self._forget_choices()

    def mark_failed(self, name: str, number: int, reason: str) -> None:
        """Mark a version of the plan as failed, because a worker can't load it."""
        fingerprint = self._before(name).fingerprint(number)
        self.set_verdict(VersionId(name, number, fingerprint), reason)

    def unload(self, name: str) -> None:
        """Serve no version of a model until it is loaded."""
        self._unloaded.add(name)
        self._forget_choices()

    def has_model(self, name: str) -> bool:
        """Does this model exist, served or not?"""
        return name in self._found or name in self.plan.models

    def load(self, name: str) -> None:
        """Serve a model again, and validate its failed versions again."""
        self._unloaded.discard(name)
        self.forget_failures(name)

    def forget_failures(self, name: str | None = None) -> None:
        """Validate the failed versions of one model, or of all, again."""
        self._verdicts = {
            version_id: reason
            for version_id, reason in self._verdicts.items()
            if not reason or name not in (None, version_id.name)
        }
        self._forget_choices()

    def next_unvalidated(self, name: str | None = None) -> VersionId | None:
        """The next version to validate, of one model or of all; None if there is none."""
        for known, choice in self._chosen().items():
            if isinstance(choice, VersionId) and name in (None, known):
                return choice
        return None

    def make_plan(self) -> ServingPlan:
        """Make the plan; it is the same object as before if nothing has changed."""
        if self._is_planned:
            return self.plan
        models = {name: self._plan(name) for name in sorted(self._found)}
        models = {name: model for name, model in models.items() if model.versions or model.problem}
        default = self._default(models)
        if (models, default) != (self.plan.models, self.plan.default):
            self.plan = ServingPlan(self.plan.number + 1, models, default)
            self._forget_choices()  # they depend on what is served
        self._is_planned = True
        return self.plan

    def _forget_choices(self) -> None:
        self._choices = None
        self._is_planned = False

    def _chosen(self) -> dict[str, PlannedModel | VersionId]:
        """What to serve of each model, or the version that must be validated to decide that."""
        if self._choices is None:
            self._choices = {
                name: self._choice(name) for name in sorted(self._found.keys() - self._unloaded)
            }
        return self._choices

    def _choice(self, name: str) -> PlannedModel | VersionId:
        try:
            return self._choose(name)
        except _NotValidatedError as error:
            return error.version_id

    def _default(self, models: dict[str, PlannedModel]) -> str | None:
        if self._default_model or self.plan.default in models:  # a second model does not change it
            return self._default_model or self.plan.default
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
        }
        versions = dict(sorted((planned.versions | kept).items()))
        return dataclasses.replace(planned, versions=versions)

    def _choose(self, name: str) -> PlannedModel:
        """Choose the labelled versions, and the latest ones that can be served.

        Raises:
            _NotValidatedError: a version must be validated first.

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
                    f"{name}: label {label} stays at version {labels[label]}, because version"
                    f" {number} can't be served"
                )
        left = self._latest
        for number in reversed(found.versions):
            if not left:
                break
            left -= can_be_served(number)
        known = {number: one for number, one in versions.items() if one != PlannedVersion()}
        traffic = before if found.problem else found
        return PlannedModel(
            dict(sorted(known.items())),
            labels,
            traffic.weights,
            traffic.shadow,
            "; ".join(problems),
        )

    def _assess(self, name: str, number: int) -> PlannedVersion:
        fingerprint = self._found[name].versions.get(number, "")
        if not fingerprint:
            return PlannedVersion()
        version_id = VersionId(name, number, fingerprint)
        if version_id not in self._verdicts:
            raise _NotValidatedError(version_id)
        reason = self._verdicts[version_id]
        if not reason:
            return PlannedVersion(fingerprint)
        loaded = self._before(name).fingerprint(number)
        has_failed = self._verdicts.get(VersionId(name, number, loaded), "")
        return PlannedVersion("" if has_failed else loaded, reason)
