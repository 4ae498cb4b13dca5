"""A sweep's study in Optuna: which runs are left, and who makes them.

Every run that a plan wants waits in the study from its beginning, and a process that has nothing
to do takes one. Optuna hands each to one process alone. A process that makes a run says every few
seconds that it lives; the run of one that has fallen silent waits again.
"""

import contextlib
import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

import optuna
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState

from tracking import mlflow_store
from train.errors import TrainError
from train.sweep import parent_run
from train.sweep.study_storage import SILENT_SECONDS, storage_at

_DONE = (TrialState.COMPLETE, TrialState.PRUNED)
_SPEC, _PARENT = "spec", "parent"
_RUN = "run_id"


@dataclass(frozen=True)
class Standing:
    """How far a sweep is."""

    done: int
    total: int
    best: float | None
    """The highest validation accuracy."""
    seconds_left: float | None
    """With as many processes as are at work."""


@dataclass(frozen=True)
class Made:
    """What came of a run."""

    accuracy: float
    """In validation."""
    is_last: bool
    """Shall this process make no other?"""


class _TakenError(Exception):
    """Another process has the run."""


class Study:
    """The runs of one sweep.

    Args:
        url: of the database.
        name: of the study, new or known.
        spec: what it is to be; that of a known one must be the same.
        slots: what to tell ``make`` of each run, for a new study.
        begin: makes the run in MLflow that a new study's are below; returns its id.

    Raises:
        TrainError: the database can't be used, or the study is another one.

    """

    def __init__(
        self,
        url: str,
        name: str,
        spec: Mapping[str, Any],
        slots: list[dict[str, Any]],
        begin: Callable[[], str],
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", ExperimentalWarning)  # of signs of life, since years
        storage = storage_at(url, _lost)
        how: dict[str, Any] = {
            "sampler": optuna.samplers.TPESampler(n_startup_trials=10),
            "pruner": optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2),
        }
        try:
            self._study = optuna.create_study(
                storage=storage, study_name=name, direction="maximize", **how
            )
        except DuplicatedStudyError:
            self._study = optuna.load_study(storage=storage, study_name=name, **how)
            self._join(name, spec)
        else:
            try:
                self._study.set_user_attr(_SPEC, json.dumps(spec))
                for slot in slots:
                    self._study.enqueue_trial({}, user_attrs=slot)
                self._study.set_user_attr(_PARENT, begin())  # last: now others may take runs
            except BaseException:
                optuna.delete_study(study_name=name, storage=storage)
                raise
        self.parent: str = self._study.user_attrs[_PARENT]

    def _join(self, name: str, spec: Mapping[str, Any]) -> None:
        until = time.monotonic() + SILENT_SECONDS
        while _PARENT not in self._study.user_attrs:
            if time.monotonic() > until:
                raise TrainError(f"study {name} was never begun in full; take another --study")
            time.sleep(0.2)
        known = json.loads(self._study.user_attrs[_SPEC])
        if known != spec:
            keys = [key for key in known | spec if known.get(key) != spec.get(key)]
            told = "; ".join(f"{key} is {known.get(key)}, not {spec.get(key)}" for key in keys)
            raise TrainError(f"study {name} is another one: {told}")

    def work(self, make: Callable[[optuna.Trial], Made]) -> None:
        """Make runs until none is left, also none that another process makes and may lose.

        Raises:
            KeyboardInterrupt: a run was the last one that this process shall make.

        """
        while self._count(TrialState.WAITING, TrialState.RUNNING):
            optuna.storages.fail_stale_trials(self._study)
            if not self._count(TrialState.WAITING):
                time.sleep(1)
            elif self._make_one(make):
                raise KeyboardInterrupt

    def _make_one(self, make: Callable[[optuna.Trial], Made]) -> bool:
        """Take a run and make it; returns whether it shall be the last one."""
        is_last = is_lost = False

        def made(trial: optuna.Trial) -> float:
            nonlocal is_last, is_lost
            if not trial.user_attrs:
                raise _TakenError  # by another process, since it was seen waiting
            try:
                result = make(trial)
                is_last = result.is_last
                return result.accuracy
            except optuna.TrialPruned:
                raise
            except BaseException as error:
                is_last = isinstance(error, KeyboardInterrupt)
                if self._is_running(trial):
                    _wait_again(self._study, trial)
                raise
            finally:
                is_lost = not self._is_running(trial)

        try:
            self._study.optimize(made, n_trials=1, catch=(_TakenError,))
        except BaseException:
            # Optuna takes no result of a run that was given up because this process was silent, as
            # one whose machine was asleep. Another one makes it.
            if not is_lost:
                raise
        return is_last

    def _is_running(self, trial: optuna.Trial) -> bool:
        return self._study.get_trials(deepcopy=False)[trial.number].state == TrialState.RUNNING

    @property
    def is_at_work(self) -> bool:
        """Is a process making a run?"""
        return self._count(TrialState.RUNNING) > 0

    @staticmethod
    def name_run(trial: optuna.Trial, run_id: str) -> None:
        """Take down which run of MLflow a trial is."""
        trial.set_user_attr(_RUN, run_id)

    def standing(self) -> Standing:
        """How far it is."""
        done = self._study.get_trials(deepcopy=False, states=_DONE)
        seconds = [trial.duration.total_seconds() for trial in done if trial.duration]
        left = self._count(TrialState.WAITING, TrialState.RUNNING)
        at_once = max(1, self._count(TrialState.RUNNING))
        values = [trial.value for trial in done if trial.state == TrialState.COMPLETE]
        return Standing(
            len(done),
            len(done) + left,
            max((value for value in values if value is not None), default=None),
            mean(seconds) * left / at_once if seconds else None,
        )

    def importance(self) -> dict[str, float]:
        """How much each parameter of a search decided (fANOVA); empty where that can't be told."""
        whole = self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        if not any(trial.params for trial in whole) or len({trial.value for trial in whole}) < 2:
            return {}
        return optuna.importance.get_param_importances(self._study)

    def _count(self, *states: TrialState) -> int:
        return len(self._study.get_trials(deepcopy=False, states=states))


def _lost(study: optuna.Study, trial: FrozenTrial) -> None:
    _wait_again(study, trial)  # first of all: nobody else will
    if run_id := trial.user_attrs.get(_RUN):
        with contextlib.suppress(*mlflow_store.STORE_ERRORS):
            parent_run.mark(run_id, "KILLED")  # its process can't say so any more


def _wait_again(study: optuna.Study, trial: optuna.Trial | FrozenTrial) -> None:
    slot = {key: value for key, value in trial.user_attrs.items() if key != _RUN}
    study.enqueue_trial({}, user_attrs=slot)
