"""How a new version comes into service: it is found, validated, and then loaded by every worker.

repository_watcher ──found──▶ version_policy ──version──▶ validation_process
                                 ▲  │    ▲                       │
                                 │  │    └────────verdict────────┘
                                 │  └──serving plan──▶ workers
                                 └─────load failed────────┘
"""

import logging
import selectors
import time
from collections.abc import Collection
from pathlib import Path
from selectors import BaseSelector

from serve.errors import StartError
from serve.processes.forkserver import Forkservers
from serve.processes.messages import MessageKind
from serve.processes.worker_process import WorkerProcess
from serve.rollout import validation_process
from serve.rollout.validation_process import ValidationProcess
from serve.settings import Settings
from serve.versions import repository_scan, serving_plan
from serve.versions.repository_watcher import RepositoryWatcher
from serve.versions.serving_plan import ServingPlan
from serve.versions.version_policy import VersionPolicy

log = logging.getLogger("serve")

RETRY_SECONDS = 5.0  # if a validation can't start, a plan can't be written or is not followed
REVALIDATE_SECONDS = 60.0  # if a worker could not load a version


class Rollout:
    """Keeps all workers at the versions that the policy chooses."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        selector: BaseSelector,
        forkservers: Forkservers,
        workers: Collection[WorkerProcess],
    ) -> None:
        """Know no models yet.

        Args:
            settings: of the server.
            folder: the shared folder.
            selector: on which the supervisor waits; its data are functions to call.
            forkservers: fork the validation processes.
            workers: the living workers, at any time.

        """
        self._settings = settings
        self._folder = folder
        self._selector = selector
        self._forkservers = forkservers
        self._workers = workers
        self.watcher = RepositoryWatcher(settings.models, settings.poll_interval, selector)
        self.policy = VersionPolicy(settings.latest_versions, settings.default_model)
        self._validation: ValidationProcess | None = None
        self._validate_at = self._announce_at = self._write_at = 0.0
        self._revalidate_at = float("inf")
        self.plan = ServingPlan()
        """What all workers serve; its number is 0 until that is known."""

    def begin(self) -> None:
        """Scan the repository for the first time.

        Raises:
            StartError: it contains no model, or not the one that the settings name.

        """
        models, default_model = self._settings.models, self._settings.default_model
        self.policy.update(repository_scan.first_scan(models, default_model))

    @property
    def is_validating(self) -> bool:
        """Is a version being validated?"""
        return self._validation is not None

    @property
    def is_forking(self) -> bool:
        """Is the process id of the validation process still unknown?"""
        return self._validation is not None and self._validation.pid is None

    @property
    def pids(self) -> set[int]:
        """The processes that scan and validate."""
        validation = self._validation.pid if self._validation else None
        return self.watcher.pids | ({validation} if validation else set())

    def reload(self) -> None:
        """Scan the repository soon, and validate failed versions again."""
        self.watcher.request_scan()
        self.policy.forget_failures()

    def turn(self) -> None:
        """Do what is due; called after each wait.

        Raises:
            StartError: the server has just started, and no version can be served.

        """
        found = self.watcher.turn()
        if self.watcher.recovered or time.monotonic() >= self._revalidate_at:
            self.watcher.recovered = False
            self._revalidate_at = float("inf")
            self.policy.forget_failures()
        if found:
            self.policy.update(found)
        if self._validation:
            self._validation.check_time()
        else:
            self._begin_validation()
        if self.plan.number or not self.policy.next_unvalidated():
            self._publish()
        if time.monotonic() >= self._announce_at:
            self._announce(self.workers_behind())

    def take(self, worker: WorkerProcess, kind: MessageKind, text: str) -> None:
        """Take a worker's message about the plan."""
        if kind is MessageKind.LOAD_FAILED:
            name, number, reason = text.split(" ", 2)
            self.policy.mark_failed(name, int(number), reason)
            self._revalidate_at = time.monotonic() + REVALIDATE_SECONDS
        else:
            worker.plan = int(text)

    def kill(self) -> None:
        """Kill the processes that scan and validate."""
        self.watcher.kill()
        if self._validation:
            self._validation.kill()

    # Validation

    def _begin_validation(self) -> None:
        version_id = self.policy.next_unvalidated()
        if version_id is None or time.monotonic() < self._validate_at:
            return
        name, number, _ = version_id
        text = f"{name} {number} {validation_process.TIMEOUT_SECONDS}"
        try:
            control = self._forkservers.fork(MessageKind.VALIDATE, text)
        except OSError as error:
            self._retry_validation(f"can't be started: {error.strerror}")
            return
        validation = self._validation = ValidationProcess(version_id, control)
        self._selector.register(control, selectors.EVENT_READ, lambda: self._receive(validation))

    def _receive(self, validation: ValidationProcess) -> None:
        if not validation.receive():
            return
        self._selector.unregister(validation.control)
        self._validation = None
        verdict = validation.verdict()
        if verdict is None:
            self._retry_validation(self._forkservers.last_fault() or "ended")
            return
        self.policy.set_verdict(validation.version_id, verdict)
        if verdict:
            self.watcher.request_scan()  # perhaps the whole repository is unreadable

    def _retry_validation(self, why: str) -> None:
        self._validate_at = time.monotonic() + RETRY_SECONDS
        if not self.plan.number:
            raise StartError(f"the forkserver {why}")
        log.error("the forkserver %s; the validation of a version will be repeated", why)

    # The plan

    def _publish(self) -> None:
        before, after = self.plan, self.policy.make_plan()
        if not before.number and (why := after.fault(self._settings.default_model)):
            raise StartError(why)
        if after is before or time.monotonic() < self._write_at:
            return
        try:
            after.write(self._folder)
        except OSError as error:
            self._write_at = time.monotonic() + RETRY_SECONDS
            if not before.number:
                raise StartError(f"{self._folder}: {error.strerror}") from None
            log.error("%s: a plan can't be written: %s", self._folder, error.strerror)
            return
        self.plan = after
        if before.number:
            for line in serving_plan.changes(before, after):
                log.info("%s", line)
        for line in serving_plan.problems(before, after):
            log.error("%s", line)
        self._announce(self._workers)

    def _announce(self, workers: Collection[WorkerProcess]) -> None:
        self._announce_at = time.monotonic() + RETRY_SECONDS
        for worker in workers:
            worker.control.send(MessageKind.NEW_PLAN)

    def workers_behind(self) -> list[WorkerProcess]:
        """The workers that do not follow the newest plan yet."""
        return [one for one in self._workers if one.ready and one.plan < self.plan.number]

    @property
    def is_published(self) -> bool:
        """Have the workers been told of the newest plan?"""
        return self.policy.plan is self.plan

    def is_validating_model(self, name: str) -> bool:
        """Is a version of this model being validated, or waiting for it?"""
        is_under_way = self._validation is not None and self._validation.version_id.name == name
        return is_under_way or self.policy.next_unvalidated(name) is not None

    def is_alive(self, worker: WorkerProcess) -> bool:
        """Is a worker still there?"""
        return worker in self._workers
