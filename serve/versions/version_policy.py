"""Which versions shall be served: from what lies there, what trials have shown, what was asked.

A bad version never replaces a good one, and no model loses its last good one to a bad one:

- a version whose trial fails is left out, and its reason told, until its files change;
- where files in service change and are bad, what was loaded before goes on, until a worker has to
  load them anew and can't;
- a label stays where it was while the version that it shall go to can't be served.
"""

from serve.versions.repository_scan import Found
from serve.versions.serving_plan import UNLOADED, Files, Plan, Planned, Version


class _UntriedError(Exception):
    """What to serve is known only after a trial."""

    def __init__(self, files: Files) -> None:
        self.files = files


class Registry:
    """Makes the plan."""

    def __init__(self, newest: int, name: str | None) -> None:
        """Know nothing as yet.

        Args:
            newest: so many versions of each model are served, beside the labelled ones.
            name: the model that is meant where a request names none; None for the only one.

        """
        self._newest = newest
        self._name = name
        self._found: dict[str, Found] = {}
        self._verdicts: dict[Files, str] = {}
        self._doubted: set[Files] = set()
        self._lost: set[Files] = set()
        self._unloaded: set[str] = set()
        # Asked for at each turn of the supervisor, and made anew only after a change.
        self._choices: dict[str, Planned | Files] | None = None
        self._is_planned = False
        self.plan = Plan()

    def see(self, found: dict[str, Found]) -> None:
        """Take in what the repository holds now."""
        self._found = found
        known = {*self.plan.served()} | {
            Files(name, number, stamp)
            for name, model in found.items()
            for number, stamp in model.versions.items()
        }
        self._verdicts = {one: reason for one, reason in self._verdicts.items() if one in known}
        self._doubted &= known
        self._lost &= known
        self._forget_choices()

    def judge(self, files: Files, reason: str) -> None:
        """Take in what a trial has shown: why it can't be served, or empty where it can."""
        self._verdicts[files] = reason
        if not reason:
            self._doubted.discard(files)
            self._lost.discard(files)
        self._forget_choices()

    def doubt(self, name: str, version: int) -> None:
        """Have a version tried again, for a worker can't load it."""
        served = Files(name, version, self._before(name).stamp(version))
        self._verdicts.pop(served, None)
        self._doubted.add(served)
        self._forget_choices()

    def doubts(self, name: str, version: int) -> bool:
        """Is a version of the plan in doubt?"""
        return Files(name, version, self._before(name).stamp(version)) in self._doubted

    def lose(self, lacking: set[tuple[str, int]]) -> None:
        """Give up what no worker has, where its files are bad."""
        lost = {files for files in self._doubted if files[:2] in lacking}
        if lost != self._lost:
            self._lost = lost
            self._forget_choices()

    def unload(self, name: str) -> None:
        """Serve no version of a model until it is loaded."""
        self._unloaded.add(name)
        self._forget_choices()

    def knows(self, name: str) -> bool:
        """Is there such a model, served or not?"""
        return name in self._found or name in self.plan.models

    def load(self, name: str) -> None:
        """Serve a model again, and try again what failed."""
        self._unloaded.discard(name)
        self.forget_failures(name)

    def forget_failures(self, name: str | None = None) -> None:
        """Have all be tried again that failed, of one model or of all."""
        self._verdicts = {
            files: reason
            for files, reason in self._verdicts.items()
            if not reason or name not in (None, files.name)
        }
        self._forget_choices()

    def next_trial(self, name: str | None = None) -> Files | None:
        """What is to be tried next, of one model or of all."""
        for known, choice in self._chosen().items():
            if isinstance(choice, Files) and name in (None, known):
                return choice
        return None

    def replan(self) -> Plan:
        """Make the plan of all that is known; it is the same object where nothing changes."""
        if self._is_planned:
            return self.plan
        models = {name: self._plan(name) for name in sorted(self._found)}
        models = {name: model for name, model in models.items() if model.versions or model.problem}
        default = self._default(models)
        if (models, default) != (self.plan.models, self.plan.default):
            self.plan = Plan(self.plan.number + 1, models, default)
            self._forget_choices()  # which depend on what is served
        self._is_planned = True
        return self.plan

    def _forget_choices(self) -> None:
        self._choices = None
        self._is_planned = False

    def _chosen(self) -> dict[str, Planned | Files]:
        """What to serve of each model, or what is to be tried before that is known."""
        if self._choices is None:
            self._choices = {
                name: self._choice(name) for name in sorted(self._found.keys() - self._unloaded)
            }
        return self._choices

    def _choice(self, name: str) -> Planned | Files:
        try:
            return self._choose(name)
        except _UntriedError as error:
            return error.files

    def _default(self, models: dict[str, Planned]) -> str | None:
        if self._name or self.plan.default in models:  # a second model does not change it
            return self._name or self.plan.default
        return next(iter(models)) if len(models) == 1 else None

    def _before(self, name: str) -> Planned:
        return self.plan.models.get(name, Planned())

    def _plan(self, name: str) -> Planned:
        before = self._before(name)
        if name in self._unloaded:
            return Planned({number: Version(reason=UNLOADED) for number in before.versions})
        planned = self._chosen()[name]
        if isinstance(planned, Files):
            return before
        if planned.ready:
            return planned
        kept = {
            number: Version(before.stamp(number), planned.reason(number))
            for number in before.ready
            if Files(name, number, before.stamp(number)) not in self._lost
        }
        versions = dict(sorted((planned.versions | kept).items()))
        return Planned(versions, planned.labels, planned.problem)

    def _choose(self, name: str) -> Planned:
        """The versions that have a label, and the newest ones that can be served.

        Raises:
            _UntriedError: that is not known as yet.

        """
        found, before = self._found[name], self._before(name)
        versions: dict[int, Version] = {}

        def can_be_served(number: int) -> bool:
            if number not in versions:
                versions[number] = self._assess(name, number)
            return bool(versions[number].stamp)

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
        there = {number: version for number, version in versions.items() if version != Version()}
        return Planned(dict(sorted(there.items())), labels, "; ".join(problems))

    def _assess(self, name: str, number: int) -> Version:
        stamp = self._found[name].versions.get(number, "")
        if not stamp:
            return Version()
        files = Files(name, number, stamp)
        if files not in self._verdicts:
            raise _UntriedError(files)
        reason = self._verdicts[files]
        if not reason:
            return Version(stamp)
        loaded = self._before(name).stamp(number)
        doubted = Files(name, number, loaded) in self._doubted
        return Version("" if doubted else loaded, reason)
