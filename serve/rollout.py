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
from dataclasses import dataclass
from pathlib import Path
from selectors import BaseSelector

from serve import plan, scan
from serve.children import Child
from serve.control import Kind
from serve.errors import StartError
from serve.forkserver import Forkservers
from serve.plan import Plan
from serve.registry import Registry
from serve.settings import Settings
from serve.trial import Trial
from serve.watch import Watch

log = logging.getLogger("serve")

AGAIN_SECONDS = 5.0  # after which a trial that could not begin, or a worker, is asked again


@dataclass(frozen=True)
class _Command:
    """A request to load or unload a model, which waits until all workers have followed."""

    child: Child
    request: str
    """The worker's number for it."""
    name: str
    loads: bool
    look: int
    """The look at the repository that it waits for."""


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
        self._watch = Watch(settings.models, settings.poll_seconds, selector)
        self._registry = Registry(settings.versions, settings.name)
        self._trial: Trial | None = None
        self._commands: list[_Command] = []
        self._try_at = self._tell_at = 0.0

    def begin(self) -> None:
        """Look at the repository for the first time.

        Raises:
            StartError: it holds no model, or not the one that the settings name.

        """
        self._registry.see(scan.first(self._settings.models, self._settings.name))

    @property
    def plan(self) -> Plan:
        """What all workers shall serve; number 0 until that is known."""
        return self._registry.plan

    @property
    def trying(self) -> bool:
        """Is a trial under way?"""
        return self._trial is not None

    def look(self) -> None:
        """Look at the repository soon."""
        self._watch.ask()

    def turn(self) -> None:
        """Do what there is to do; called after each wait.

        Raises:
            StartError: nothing can be served, and nothing is.

        """
        if found := self._watch.turn():
            self._registry.see(found)
        if self._trial:
            self._trial.check_time()
        else:
            self._begin_trial()
        if self.plan.number or not self._registry.next_trial():
            self._publish()
        self._tell_again()
        self._commands = [command for command in self._commands if not self._answer(command)]

    def hear(self, child: Child, kind: Kind, text: str) -> None:
        """Take a worker's message that is about models."""
        if kind is Kind.FOLLOWED:
            child.plan = int(text)
        elif kind is Kind.LACKS:
            name, number = text.split(" ")
            self._registry.doubt(name, int(number))
        else:
            request, name = text.split(" ", 1)
            loads = kind is Kind.LOAD
            look = self._watch.ask() if loads else 0
            if loads:
                self._registry.load(name)
            elif name in self.plan.models:
                self._registry.unload(name)
            self._commands.append(_Command(child, request, name, loads, look))

    def kill(self) -> None:
        """End a trial at once."""
        if self._trial:
            self._trial.kill()

    # Trials

    def _begin_trial(self) -> None:
        files = self._registry.next_trial()
        if files is None or time.monotonic() < self._try_at:
            return
        text = f"{files.name} {files.version}"
        trial = self._trial = Trial(files, self._forkservers.fork(Kind.TRIAL, text))
        self._selector.register(trial.control, selectors.EVENT_READ, lambda: self._hear(trial))

    def _hear(self, trial: Trial) -> None:
        if not trial.hear():
            return
        self._selector.unregister(trial.control)
        self._trial = None
        verdict = trial.verdict()
        if verdict is not None:
            self._registry.judge(trial.files, verdict)
            return
        fault = self._forkservers.last_fault() or "ended"
        self._try_at = time.monotonic() + AGAIN_SECONDS
        if not self.plan.number:
            raise StartError(f"the process that forks workers {fault}")
        log.error("the process that forks workers %s; a version will be tried again", fault)

    # The plan

    def _publish(self) -> None:
        before = self.plan
        after = self._registry.replan()
        if after is before:
            return
        if before.number:
            for line in plan.changes(before, after):
                log.info("%s", line)
        elif why := after.fault(self._settings.name):
            raise StartError(why)
        for line in plan.problems(before, after):
            log.error("%s", line)
        after.write(self._folder)
        for child in self._workers:
            child.control.send(Kind.PLAN)
        self._tell_at = time.monotonic() + AGAIN_SECONDS

    def _tell_again(self) -> None:
        """Remind workers that could not follow."""
        if time.monotonic() < self._tell_at:
            return
        self._tell_at = time.monotonic() + AGAIN_SECONDS
        for child in self._behind():
            child.control.send(Kind.PLAN)

    def _behind(self) -> list[Child]:
        return [child for child in self._workers if child.ready and child.plan < self.plan.number]

    # Commands

    def _answer(self, command: _Command) -> bool:
        """Say what came of a command, where that is known; False where it is not."""
        waits = self._watch.seen < command.look or self._trial or self._registry.next_trial()
        if waits or self._behind():
            return False
        status, why = self._outcome(command)
        command.child.control.send(Kind.DONE, f"{command.request} {status} {why}")
        return True

    def _outcome(self, command: _Command) -> tuple[int, str]:
        planned = self.plan.models.get(command.name)
        if planned is None:
            return 404, f"no model {command.name!r} in the repository"
        if not command.loads:
            return 200, ""
        newest = max(planned.versions)
        why = self._watch.problem or planned.reason(newest)
        return (503, why) if why else (200, "")
