"""How new versions come into service: found, tried by a process aside, then in every worker.

watch ──found──▶ registry ────files────▶ trial
                   ▲  │                    │ verdict
                   │  └──plan──▶ workers   │
                   └──doubt────────┴───────┘
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

RETRY_SECONDS = 5.0  # after which is tried again what could not be begun, written or loaded


class Rollout:
    """What the supervisor does about models."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        selector: BaseSelector,
        forkservers: Forkservers,
        workers: Collection[WorkerProcess],
    ) -> None:
        """Know nothing as yet.

        Args:
            settings: of the service.
            folder: that workers share.
            selector: that the supervisor waits with; its data are functions to call.
            forkservers: by which trials are forked.
            workers: those that live, at any time.

        """
        self._settings = settings
        self._folder = folder
        self._selector = selector
        self._forkservers = forkservers
        self._workers = workers
        self.watch = RepositoryWatcher(settings.models, settings.poll_interval, selector)
        self.policy = VersionPolicy(settings.latest_versions, settings.default_model)
        self._validation: ValidationProcess | None = None
        self._try_at = self._tell_at = self._write_at = 0.0
        self.plan = ServingPlan()
        """What all workers shall serve; number 0 until that is known."""

    def begin(self) -> None:
        """Look at the repository for the first time.

        Raises:
            StartError: it holds no model, or not the one that the settings name.

        """
        self.policy.update(
            repository_scan.first_scan(self._settings.models, self._settings.default_model)
        )

    @property
    def is_validating(self) -> bool:
        """Is a trial under way?"""
        return self._validation is not None

    @property
    def is_forking(self) -> bool:
        """Is a trial asked for whose process id is not known as yet?"""
        return self._validation is not None and self._validation.pid is None

    @property
    def pids(self) -> set[int]:
        """Of the processes that look and try."""
        validation = {self._validation.pid} if self._validation and self._validation.pid else set()
        return self.watch.pids | validation

    def look(self) -> None:
        """Look at the repository soon."""
        self.watch.request_scan()

    def turn(self) -> None:
        """Do what there is to do; called after each wait.

        Raises:
            StartError: nothing can be served, and nothing is.

        """
        if found := self.watch.turn():
            if self.watch.recovered:
                self.policy.forget_failures()
            self.policy.update(found)
        if self._validation:
            self._validation.check_time()
        else:
            self._begin_validation()
        if serving := [worker for worker in self._workers if worker.ready]:
            self.policy.drop(set.intersection(*(worker.missing for worker in serving)))
        if self.plan.number or not self.policy.next_unvalidated():
            self._publish()
        self._tell_again()

    def hear(self, worker: WorkerProcess, kind: MessageKind, text: str) -> None:
        """Take a worker's message that is about models."""
        if kind is MessageKind.PLAN_FOLLOWED:
            self.follows(worker, text)
        else:
            name, number, why = text.split(" ", 2)
            self.policy.suspect(name, int(number))
            if kind is MessageKind.VERSION_MISSING:
                worker.next_missing.add((name, int(number)))
            else:
                worker.trouble = why

    def follows(self, worker: WorkerProcess, number: str) -> None:
        """Take in which plan a worker serves."""
        worker.plan, worker.trouble = int(number), ""
        worker.missing, worker.next_missing = worker.next_missing, set()

    def kill(self) -> None:
        """End a look and a trial at once."""
        self.watch.kill()
        if self._validation:
            self._validation.kill()

    # Trials

    def _begin_validation(self) -> None:
        version_id = self.policy.next_unvalidated()
        if version_id is None or time.monotonic() < self._try_at:
            return
        text = f"{version_id.name} {version_id.version} {validation_process.TIMEOUT_SECONDS}"
        try:
            validation = self._validation = ValidationProcess(
                version_id, self._forkservers.fork(MessageKind.VALIDATE, text)
            )
        except OSError as error:
            self._not_tried(f"can't be started: {error.strerror}")
            return
        self._selector.register(
            validation.control, selectors.EVENT_READ, lambda: self._hear(validation)
        )

    def _hear(self, validation: ValidationProcess) -> None:
        if not validation.hear():
            return
        self._selector.unregister(validation.control)
        self._validation = None
        verdict = validation.verdict()
        if verdict is None:
            self._not_tried(self._forkservers.last_fault() or "ended")
            return
        self.policy.set_verdict(validation.version_id, verdict)
        if verdict:
            self.watch.request_scan()  # it may be the repository that is at fault

    def _not_tried(self, why: str) -> None:
        self._try_at = time.monotonic() + RETRY_SECONDS
        if not self.plan.number:
            raise StartError(f"the forkserver {why}")
        log.error("the forkserver %s; a version will be tried again", why)

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
        self._tell(self._workers)

    def _tell(self, workers: Collection[WorkerProcess]) -> None:
        self._tell_at = time.monotonic() + RETRY_SECONDS
        for worker in workers:
            worker.trouble = ""
            worker.control.send(MessageKind.NEW_PLAN)

    def _tell_again(self) -> None:
        """Remind workers that could not follow, or not wholly though nothing is wrong any more."""
        if time.monotonic() >= self._tell_at:
            late = self.workers_behind()
            for worker in self._workers:
                if worker not in late and not all(
                    self.policy.is_suspect(*version) for version in worker.missing
                ):
                    late.append(worker)
            self._tell(late)

    def workers_behind(self) -> list[WorkerProcess]:
        """The workers that serve another plan as yet."""
        return [
            worker for worker in self._workers if worker.ready and worker.plan < self.plan.number
        ]

    @property
    def is_published(self) -> bool:
        """Has the newest plan been written?"""
        return self.policy.plan is self.plan

    def is_validating_model(self, name: str) -> bool:
        """Is something of a model being tried, or left to be?"""
        under_way = self._validation is not None and self._validation.version_id.name == name
        return under_way or self.policy.next_unvalidated(name) is not None

    def is_alive(self, worker: WorkerProcess) -> bool:
        """Is a worker still there?"""
        return worker in self._workers
