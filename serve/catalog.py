"""The models that a worker serves: several, and several versions of each."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bundle import layout, store
from bundle.errors import BundleError
from serve import model
from serve.errors import BadRequest, NotFound, StartError, Unavailable
from serve.model import Model
from serve.settings import Settings

log = logging.getLogger("serve")

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@dataclass
class Versions:
    """The versions of one model."""

    ready: dict[int, Model] = field(default_factory=dict)
    """Oldest first."""
    failed: dict[int, str] = field(default_factory=dict)
    """Why a version can't be served."""
    labels: Mapping[str, int] = field(default_factory=dict)


class Catalog:
    """Finds the model that a request asks for."""

    def __init__(self, models: Mapping[str, Versions], default: str | None) -> None:
        """Keep them.

        Args:
            models: by name.
            default: the name that is meant where a request has none.

        """
        self.models = models
        self._default = default

    def __iter__(self) -> Iterator[Model]:
        for versions in self.models.values():
            yield from versions.ready.values()

    def find(self, name: str = "", version: str = "") -> Model:
        """The model that is asked for: by default the newest version of the default one.

        Args:
            name: of the model.
            version: its number, or a label.

        Raises:
            BadRequest: there is no default, and no name.
            NotFound: there is no such model, version or label.
            Unavailable: there is, but it can't be served.

        """
        versions = self.versions(name)
        if not version:
            if not versions.ready:
                raise Unavailable(f"model {name}: no version of it can be served")
            return next(reversed(versions.ready.values()))
        if not _NUMBER.fullmatch(version):
            if version not in versions.labels:
                known = ", ".join(versions.labels) or "none"
                raise NotFound(f"no version {version[:100]!r}; the labels are {known}")
            version = str(versions.labels[version])
        number = int(version)
        if number in versions.ready:
            return versions.ready[number]
        if number in versions.failed:
            raise Unavailable(
                f"version {number} can't be served; POST /v2/repository/index says why"
            )
        raise NotFound(f"no version {number}; there is {', '.join(map(str, versions.ready))}")

    def versions(self, name: str = "") -> Versions:
        """All of a model.

        Raises:
            BadRequest: there is no default, and no name.
            NotFound: there is no such model.

        """
        found = self.models.get(name or self._default or "")
        if found is None:
            names = ", ".join(self.models)
            if not name:
                raise BadRequest(f"say which model, as in ?model=NAME; there is {names}")
            raise NotFound(f"no model {name[:100]!r}; there is {names}")
        return found


def load(settings: Settings) -> Catalog:
    """Load the newest versions of all models, and those that have a label.

    A version that can't be served is logged and left out.

    Raises:
        StartError: nothing can be served, or not the model that the settings name.

    """
    try:
        names = layout.models(settings.models)
    except BundleError as error:
        raise StartError(str(error)) from None
    if not names:
        raise StartError(f"{settings.models}: no model here; `python -m export` publishes one")
    if settings.name and settings.name not in names:
        raise StartError(
            f"{settings.models}: no model {settings.name!r}; there is {', '.join(names)}"
        )
    models = {name: _load(settings, name) for name in names}
    needed = [settings.name] if settings.name else names
    if not any(models[name].ready for name in needed):
        raise StartError(next(reason for name in needed for reason in models[name].failed.values()))
    for name in names:
        _log_what_is_missing(name, models[name])
    return Catalog(models, settings.name or (names[0] if len(names) == 1 else None))


def _log_what_is_missing(name: str, versions: Versions) -> None:
    for reason in versions.failed.values():
        log.error("not served: %s", reason)
    for label, number in versions.labels.items():
        if number not in versions.ready:
            log.error("%s: label %s is for version %s, which is not served", name, label, number)


def _load(settings: Settings, name: str) -> Versions:
    try:
        labels = layout.labels(settings.models, name)
    except BundleError as error:
        log.error("%s", error)
        labels = {}
    versions = Versions(labels=labels)
    loaded: dict[int, Model] = {}
    for number in reversed(layout.versions(settings.models, name)):
        if len(loaded) >= settings.versions and number not in labels.values():
            continue
        try:
            bundle = store.read(settings.models, name, number)
            loaded[number] = model.load(bundle, settings.ort_threads)
        except (BundleError, StartError) as error:
            versions.failed[number] = str(error)
    versions.ready = dict(sorted(loaded.items()))
    return versions
