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
from serve.versions.serving_plan import Files, Plan

log = logging.getLogger("serve")

Models = Mapping[Files, Model]


def load(settings: Settings, name: str, version: int) -> Model:
    """Read one version, load it, and test it against its golden answers.

    Raises:
        StartError: it can't be served.

    """
    try:
        bundle = reader.read(settings.models, name, version, settings.verify_key)
        return session.load(bundle, settings.intra_op_threads)
    except (BundleError, StartError) as error:
        raise StartError(str(error)) from None
    except Exception as error:  # such as no memory, or JSON that is nested too deeply
        raise StartError(f"{name}/{version}: {error!r}") from None


class StuckError(Exception):
    """A worker does not follow a plan, for it can't load a version that is new to it."""

    def __init__(self, lack: "Lack") -> None:
        super().__init__(lack.reason)
        self.lack = lack


@dataclass(frozen=True)
class Lack:
    """A version of the plan that a worker can't load."""

    files: Files
    reason: str

    def __str__(self) -> str:
        return f"{self.files.name} {self.files.version} {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """A plan, as far as a worker can serve it."""

    plan: Plan
    models: Models
    lacks: Sequence[Lack] = ()

    def check(self, name: str | None) -> None:
        """Refuse to serve nothing, or nothing of the model ``name`` where there is a name.

        Raises:
            StartError: that is so.

        """
        if self.lacks and not any(name in (None, files.name) for files in self.models):
            raise StartError(self.lacks[0].reason)


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
        self._followed = Loaded(Plan(), {})
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
            malloc.give_back()
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

    def _load(self, wanted: Plan, optional: Collection[Files]) -> Loaded:
        """Load a plan, without such of the ``optional`` versions as can't be loaded."""
        at_hand = {**self._followed.models, **self._spare}
        models: dict[Files, Model] = {}
        lacks: list[Lack] = []
        for files in wanted.served():
            try:
                models[files] = at_hand.get(files) or load(
                    self._settings, files.name, files.version
                )
            except StartError as error:
                lacks.append(Lack(files, str(error)))
                if files not in optional:
                    self._spare = models  # for the next try
                    raise StuckError(lacks[-1]) from None
        malloc.give_back()  # the files' bytes are as large as the models
        return Loaded(wanted, models, lacks)
