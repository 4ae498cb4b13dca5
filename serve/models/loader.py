"""Loads model versions: one of them, or all that the serving plan names."""

import logging
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
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
    """Read one version, load it, and test it with its golden inputs.

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


@dataclass(frozen=True)
class LoadFailure:
    """A version of the plan that could not be loaded."""

    version_id: VersionId
    reason: str

    def __str__(self) -> str:
        return f"{self.version_id.name} {self.version_id.version} {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """A plan, and the models that could be loaded."""

    plan: ServingPlan
    models: Models
    failures: Sequence[LoadFailure] = ()


class Loader:
    """Loads each new plan in a thread, while the worker continues to serve."""

    def __init__(self, settings: Settings, folder: Path, wake: Callable[[], None]) -> None:
        """Load nothing yet.

        Args:
            settings: of the server.
            folder: the shared folder.
            wake: called by the thread when it has finished.

        """
        self._settings = settings
        self._folder = folder
        self._wake = wake
        self._models: Models = {}
        self._is_loading = False
        self._again = False
        self._result: Loaded | Exception | None = None
        self._dropped: list[weakref.ref[Model]] = []

    def load_now(self) -> Loaded:
        """Load the current plan, and wait for it."""
        loaded = self._load(serving_plan.read(self._folder))
        self._models = loaded.models
        return loaded

    def load_in_background(self) -> None:
        """Load the current plan in a thread."""
        if self._is_loading:
            self._again = True
            return
        self._is_loading, self._again = True, False
        try:
            threading.Thread(target=self._run, name="loader", daemon=True).start()
        except RuntimeError as error:  # the supervisor will ask again
            self._is_loading = False
            log.error("a new plan can't be loaded: %s", error)

    def take(self) -> Loaded | None:
        """The plan that was loaded in the background, once; None if there is none.

        Raises:
            Exception: the plan can't be read.

        """
        if self._dropped and not any(one() for one in self._dropped):
            self._dropped.clear()
            malloc.trim()
        if self._result is None:
            return None
        result, self._result, self._is_loading = self._result, None, False
        if isinstance(result, Loaded):
            dropped = {*self._models.values()} - {*result.models.values()}
            self._dropped += map(weakref.ref, dropped)
            self._models = result.models
        if self._again:
            self.load_in_background()
        if isinstance(result, Exception):
            raise result
        return result

    def _run(self) -> None:
        try:
            self._result = self._load(serving_plan.read(self._folder))
        except Exception as error:
            self._result = error
        self._wake()

    def _load(self, plan: ServingPlan) -> Loaded:
        """Load what the plan names and is not loaded yet.

        If no planned version of a model can be loaded, its loaded versions are kept.
        """
        models: dict[VersionId, Model] = {}
        failures: list[LoadFailure] = []
        for version_id in plan.served():
            try:
                models[version_id] = self._models.get(version_id) or load(
                    self._settings, version_id.name, version_id.version
                )
            except StartError as error:
                failures.append(LoadFailure(version_id, str(error)))
        lost = {failure.version_id.name for failure in failures} - {one.name for one in models}
        kept = {one: model for one, model in self._models.items() if one.name in lost}
        malloc.trim()  # the bytes of the files are as large as the models
        return Loaded(plan, models | kept, failures)
