"""Finds the loaded model that a request asks for."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from serve.errors import BadRequest, NotFound, StartError, Unavailable, quoted
from serve.models import loader
from serve.models.loader import Models
from serve.models.session import Model
from serve.models.traffic import Traffic
from serve.settings import Settings
from serve.versions import repository_scan
from serve.versions.serving_plan import PlannedModel, ServingPlan, VersionId, problems
from serve.versions.version_policy import VersionPolicy

log = logging.getLogger("serve")

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class Versions:
    """The versions of one model."""

    ready: dict[int, Model]
    """Those that this process has loaded, oldest first."""
    planned: PlannedModel
    traffic: Traffic
    """Between these versions."""
    shadow: Model | None
    """The version that is compared with the others."""


class Catalog:
    """Finds the model for a request, by name and version or label."""

    def __init__(self) -> None:
        """Contain no models yet."""
        self.models: dict[str, Versions] = {}
        self.plan = ServingPlan()

    def __iter__(self) -> Iterator[Model]:
        for versions in self.models.values():
            yield from versions.ready.values()

    def follow(self, plan: ServingPlan, models: Models) -> None:
        """Contain the models of ``plan``, and no others.

        Args:
            plan: what is served.
            models: the loaded models.

        """
        self.plan = plan
        self.models = {}
        for name, planned in plan.models.items():
            ready = {one.version: models[one] for one in sorted(models) if one.name == name}
            shadow = ready.get(planned.labels.get(planned.shadow, 0))
            self.models[name] = Versions(ready, planned, Traffic(name, ready, planned), shadow)

    def find(
        self, name: str = "", version: str = "", headers: Mapping[str, str] | None = None
    ) -> Model:
        """Find a model version.

        Args:
            name: of the model; empty for the default model.
            version: its number, or a label; empty for the newest one, or one that gets traffic.
            headers: of a request for inference, which decide between versions with traffic.

        Raises:
            BadRequest: no name was given, and there is no default model.
            NotFound: the model, version or label does not exist.
            Unavailable: the version exists, but can't be served.

        """
        versions = self.versions(name)
        if not version:
            if headers is not None and versions.traffic:
                return versions.traffic.choose(headers)
            if not versions.ready:
                named = name or self.plan.default
                raise Unavailable(f"model {named}: no version of it can be served")
            return next(reversed(versions.ready.values()))
        if not _NUMBER.fullmatch(version):
            if version not in versions.planned.labels:
                known = ", ".join(versions.planned.labels) or "none"
                raise NotFound(f"no version {quoted(version)}; the labels are {known}")
            version = str(versions.planned.labels[version])
        number = int(version)
        if number in versions.ready:
            return versions.ready[number]
        if number in versions.planned.versions:
            raise Unavailable(
                f"version {number} can't be served; POST /v2/repository/index says why"
            )
        raise NotFound(f"no version {number}; there is {', '.join(map(str, versions.ready))}")

    def versions(self, name: str = "") -> Versions:
        """All versions of a model.

        Raises:
            BadRequest: no name was given, and there is no default model.
            NotFound: the model does not exist.

        """
        found = self.models.get(name or self.plan.default or "")
        if found is None:
            names = ", ".join(self.models)
            if not name:
                raise BadRequest(f"say which model, as in ?model=NAME; there is {names}")
            raise NotFound(f"no model {quoted(name)}; there is {names}")
        return found


def load(settings: Settings) -> Catalog:
    """Load in this process what a server with these settings would serve.

    Raises:
        StartError: no model can be served, or not the default model.

    """
    policy = VersionPolicy(settings.latest_versions, settings.default_model)
    policy.update(repository_scan.first_scan(settings.models, settings.default_model))
    models: dict[VersionId, Model] = {}
    while version_id := policy.next_unvalidated():
        reason = ""
        try:
            models[version_id] = loader.load(settings, version_id.name, version_id.version)
        except StartError as error:
            reason = str(error)
        policy.set_verdict(version_id, reason)
    plan = policy.make_plan()
    if why := plan.fault(settings.default_model):
        raise StartError(why)
    for line in problems(ServingPlan(), plan):
        log.error("%s", line)
    catalog = Catalog()
    catalog.follow(plan, models)
    return catalog
