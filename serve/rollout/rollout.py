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
from serve.processes.messages import Kind
from serve.processes.worker_process import Child
from serve.rollout import validation_process
from serve.rollout.validation_process import Trial
from serve.settings import Settings
from serve.versions import repository_scan, serving_plan
from serve.versions.repository_watcher import Watch
from serve.versions.serving_plan import Plan
from serve.versions.version_policy import Registry

log = logging.getLogger("serve")

AGAIN_SECONDS = 5.0  # after which is tried again what could not be begun, written or loaded


class Rollout:
    """What the supervisor does about models."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        selector: BaseSelector,
        forkservers: Forkservers,
        workers: Collection[Child],
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
        self.watch = Watch(settings.models, settings.poll_interval, selector)
        self.registry = Registry(settings.latest_versions, settings.default_model)
        self._trial: Trial | None = None
        self._try_at = self._tell_at = self._write_at = 0.0
        self.plan = Plan()
        """What all workers shall serve; number 0 until that is known."""

    def begin(self) -> None:
        """Look at the repository for the first time.

        Raises:
            StartError: it holds no model, or not the one that the settings name.

        """
        self.registry.see(
            repository_scan.first(self._settings.models, self._settings.default_model)
        )

    @property
    def trying(self) -> bool:
        """Is a trial under way?"""
        return self._trial is not None

    @property
    def forking(self) -> bool:
        """Is a trial asked for whose process id is not known as yet?"""
        return self._trial is not None and self._trial.pid is None

    @property
    def pids(self) -> set[int]:
        """Of the processes that look and try."""
        trial = {self._trial.pid} if self._trial and self._trial.pid else set()
        return self.watch.pids | trial

    def look(self) -> None:
        """Look at the repository soon."""
        self.watch.ask()

    def turn(self) -> None:
        """Do what there is to do; called after each wait.

        Raises:
            StartError: nothing can be served, and nothing is.

        """
        if found := self.watch.turn():
            if self.watch.recovered:
                self.registry.forget_failures()
            self.registry.see(found)
        if self._trial:
            self._trial.check_time()
        else:
            self._begin_trial()
        if serving := [child for child in self._workers if child.ready]:
            self.registry.lose(set.intersection(*(child.lacks for child in serving)))
        if self.plan.number or not self.registry.next_trial():
            self._publish()
        self._tell_again()

    def hear(self, child: Child, kind: Kind, text: str) -> None:
        """Take a worker's message that is about models."""
        if kind is Kind.FOLLOWED:
            self.follows(child, text)
        else:
            name, number, why = text.split(" ", 2)
            self.registry.doubt(name, int(number))
            if kind is Kind.LACKS:
                child.lacking.add((name, int(number)))
            else:
                child.trouble = why

    def follows(self, child: Child, number: str) -> None:
        """Take in which plan a worker serves."""
        child.plan, child.trouble = int(number), ""
        child.lacks, child.lacking = child.lacking, set()

    def kill(self) -> None:
        """End a look and a trial at once."""
        self.watch.kill()
        if self._trial:
            self._trial.kill()

    # Trials

    def _begin_trial(self) -> None:
        files = self.registry.next_trial()
        if files is None or time.monotonic() < self._try_at:
            return
        text = f"{files.name} {files.version} {validation_process.LONGEST_SECONDS}"
        try:
            trial = self._trial = Trial(files, self._forkservers.fork(Kind.TRIAL, text))
        except OSError as error:
            self._not_tried(f"can't be started: {error.strerror}")
            return
        self._selector.register(trial.control, selectors.EVENT_READ, lambda: self._hear(trial))

    def _hear(self, trial: Trial) -> None:
        if not trial.hear():
            return
        self._selector.unregister(trial.control)
        self._trial = None
        verdict = trial.verdict()
        if verdict is None:
            self._not_tried(self._forkservers.last_fault() or "ended")
            return
        self.registry.judge(trial.files, verdict)
        if verdict:
            self.watch.ask()  # it may be the repository that is at fault

    def _not_tried(self, why: str) -> None:
        self._try_at = time.monotonic() + AGAIN_SECONDS
        if not self.plan.number:
            raise StartError(f"the forkserver {why}")
        log.error("the forkserver %s; a version will be tried again", why)

    # The plan

    def _publish(self) -> None:
        before, after = self.plan, self.registry.replan()
        if not before.number and (why := after.fault(self._settings.default_model)):
            raise StartError(why)
        if after is before or time.monotonic() < self._write_at:
            return
        try:
            after.write(self._folder)
        except OSError as error:
            self._write_at = time.monotonic() + AGAIN_SECONDS
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

    def _tell(self, children: Collection[Child]) -> None:
        self._tell_at = time.monotonic() + AGAIN_SECONDS
        for child in children:
            child.trouble = ""
            child.control.send(Kind.PLAN)

    def _tell_again(self) -> None:
        """Remind workers that could not follow, or not wholly though nothing is wrong any more."""
        if time.monotonic() >= self._tell_at:
            late = self.behind()
            for child in self._workers:
                if child not in late and not all(
                    self.registry.doubts(*version) for version in child.lacks
                ):
                    late.append(child)
            self._tell(late)

    def behind(self) -> list[Child]:
        """The workers that serve another plan as yet."""
        return [child for child in self._workers if child.ready and child.plan < self.plan.number]

    @property
    def is_published(self) -> bool:
        """Has the newest plan been written?"""
        return self.registry.plan is self.plan

    def tries(self, name: str) -> bool:
        """Is something of a model being tried, or left to be?"""
        under_way = self._trial is not None and self._trial.files.name == name
        return under_way or self.registry.next_trial(name) is not None

    def lives(self, child: Child) -> bool:
        """Is a worker still there?"""
        return child in self._workers
