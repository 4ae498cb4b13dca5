"""Loads and tests what a plan names: in a trial, at a worker's start, and while it serves."""

import logging
import threading
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle import reader
from bundle.errors import BundleError
from serve.errors import StartError
from serve.models import malloc, session
from serve.models.session import Model
from serve.settings import Settings
from serve.versions import serving_plan
from serve.versions.serving_plan import ServingPlan, VersionId

log = logging.getLogger("serve")

Models = Mapping[VersionId, Model]


def load(settings: Settings, name: str, version: int) -> Model:
    """Read one version, load it, and test it against its golden answers.

    Raises:
        StartError: it can't be served.

    """
    try:
        bundle = reader.read_version(settings.models, name, version, settings.verify_key)
        return session.load(bundle, settings.intra_op_threads)
    except (BundleError, StartError) as error:
        raise StartError(str(error)) from None
    except Exception as error:  # such as no memory, or JSON that is nested too deeply
        raise StartError(f"{name}/{version}: {error!r}") from None


class CannotFollowError(Exception):
    """A worker does not follow a plan, for it can't load a version that is new to it."""

    def __init__(self, missing_version: "MissingVersion") -> None:
        super().__init__(missing_version.reason)
        self.missing_version = missing_version


@dataclass(frozen=True)
class MissingVersion:
    """A version of the plan that a worker can't load."""

    version_id: VersionId
    reason: str

    def __str__(self) -> str:
        return f"{self.version_id.name} {self.version_id.version} {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """A plan, as far as a worker can serve it."""

    plan: ServingPlan
    models: Models
    missing: Sequence[MissingVersion] = ()

    def check(self, name: str | None) -> None:
        """Refuse to serve nothing, or nothing of the model ``name`` where there is a name.

        Raises:
            StartError: that is so.

        """
        if self.missing and not any(name in (None, version_id.name) for version_id in self.models):
            raise StartError(self.missing[0].reason)


class Loader:
    """Follows the plan in one worker: what is new is loaded by a thread aside."""

    def __init__(self, settings: Settings, folder: Path, wake: Callable[[], None]) -> None:
        """Have no models as yet.

        Args:
            settings: of the service.
            folder: that workers share.
            wake: called by the thread when it is done.

        """
        self._settings = settings
        self._folder = folder
        self._wake = wake
        self._followed = Loaded(ServingPlan(), {})
        self._spare: Models = {}
        self._loading = False
        self._again = False
        self._result: Loaded | Exception | None = None
        self._dropped: list[weakref.ref[Model]] = []

    def begin(self) -> Loaded:
        """Load the plan of the moment, now, and go on without what can't be loaded."""
        wanted = serving_plan.read(self._folder)
        self._followed = self._load(wanted, {*wanted.served()})
        return self._followed

    def follow(self) -> None:
        """Have the plan of the moment loaded aside."""
        if self._loading:
            self._again = True
            return
        self._loading, self._again = True, False
        try:
            threading.Thread(target=self._run, name="loader", daemon=True).start()
        except RuntimeError as error:  # the supervisor will ask again
            self._loading = False
            log.error("a new plan can't be loaded: %s", error)

    def take(self) -> Loaded | None:
        """What has been loaded, once; what it does not name is let go of.

        Raises:
            StuckError: a version that is new can't be loaded; what was served goes on.

        """
        if self._dropped and not any(one() for one in self._dropped):
            self._dropped.clear()
            malloc.trim()
        if self._result is None:
            return None
        result, self._result, self._loading = self._result, None, False
        if isinstance(result, Loaded):
            before = {*self._followed.models.values(), *self._spare.values()}
            self._dropped += map(weakref.ref, before - {*result.models.values()})
            self._followed, self._spare = result, {}
        if self._again:
            self.follow()
        if isinstance(result, Exception):
            raise result
        return result

    def _run(self) -> None:
        try:
            wanted = serving_plan.read(self._folder)
            self._result = self._load(wanted, {*self._followed.plan.served()})
        except Exception as error:
            self._result = error
        self._wake()

    def _load(self, wanted: ServingPlan, optional: Collection[VersionId]) -> Loaded:
        """Load a plan, without such of the ``optional`` versions as can't be loaded."""
        at_hand = {**self._followed.models, **self._spare}
        models: dict[VersionId, Model] = {}
        missing: list[MissingVersion] = []
        for version_id in wanted.served():
            try:
                models[version_id] = at_hand.get(version_id) or load(
                    self._settings, version_id.name, version_id.version
                )
            except StartError as error:
                missing.append(MissingVersion(version_id, str(error)))
                if version_id not in optional:
                    self._spare = models  # for the next try
                    raise CannotFollowError(missing[-1]) from None
        malloc.trim()  # the files' bytes are as large as the models
        return Loaded(wanted, models, missing)
