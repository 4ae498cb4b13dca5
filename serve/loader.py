"""Loads and tests what a plan names: in a trial, at a worker's start, and while it serves."""

import logging
import shutil
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

from bundle import store
from bundle.errors import BundleError
from serve import memory, model, plan
from serve.control import Control, Kind
from serve.errors import StartError
from serve.model import Model
from serve.plan import Files, Plan
from serve.settings import Settings

log = logging.getLogger("serve")

Models = Mapping[Files, Model]


def load(settings: Settings, name: str, version: int) -> Model:
    """Read one version, load it, and test it against its golden answers.

    Raises:
        StartError: it can't be served.

    """
    try:
        return model.load(store.read(settings.models, name, version), settings.ort_threads)
    except BundleError as error:
        raise StartError(str(error)) from None


def try_out(settings: Settings, text: str, folder: Path, control: Control) -> int:
    """Load a version to see whether it can be; returns the exit status of the process.

    Args:
        settings: of the service.
        text: name and number of the version.
        folder: that workers share.
        control: to the supervisor, which is told.

    """
    name, number = text.split(" ")
    try:
        load(settings, name, int(number))
    except StartError as error:
        control.send(Kind.FAILED, str(error))
    else:
        control.send(Kind.READY)
    if control.is_alone():
        shutil.rmtree(folder, ignore_errors=True)  # the supervisor can't any more
    return 0


class LacksError(StartError):
    """A worker can't load a version of the plan."""

    def __init__(self, name: str, version: int, reason: str) -> None:
        super().__init__(reason)
        self.version = f"{name} {version}"


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
        self._models: Models = {}
        self._loading = False
        self._again = False
        self._result: tuple[Plan, Models] | LacksError | None = None
        self._dropped: list[weakref.ref[Model]] = []

    def begin(self) -> tuple[Plan, Models]:
        """Load the plan of the moment, now.

        Raises:
            LacksError: a version of it can't be loaded.

        """
        planned, self._models = self._load()
        return planned, self._models

    def follow(self) -> None:
        """Have the plan of the moment loaded aside."""
        if self._loading:
            self._again = True
            return
        self._loading, self._again = True, False
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def take(self) -> tuple[Plan, Models] | None:
        """The newest plan that is loaded, once; what it does not name is let go of.

        Raises:
            LacksError: a version of it can't be loaded.

        """
        if self._dropped and not any(one() for one in self._dropped):
            self._dropped.clear()
            memory.give_back()
        if self._result is None:
            return None
        result, self._result, self._loading = self._result, None, False
        if not isinstance(result, LacksError):
            self._dropped += map(weakref.ref, {*self._models.values()} - {*result[1].values()})
            self._models = result[1]
        if self._again:
            self.follow()
        if isinstance(result, LacksError):
            raise result
        return result

    def _run(self) -> None:
        try:
            self._result = self._load()
        except LacksError as error:
            self._result = error
        self._wake()

    def _load(self) -> tuple[Plan, Models]:
        wanted = plan.read(self._folder)
        models = {}
        for served in wanted.served():
            name, version, _ = served
            try:
                models[served] = self._models.get(served) or load(self._settings, name, version)
            except Exception as error:
                if not isinstance(error, StartError):
                    log.exception("%s version %s", name, version)
                raise LacksError(name, version, str(error)) from None
        memory.give_back()  # the files' bytes are as large as the models
        return wanted, models
