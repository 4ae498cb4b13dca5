"""The Optuna study of a sweep: which runs are left, and which process takes them.

All runs of a plan are enqueued as trials when the study is created. A process that is idle takes
one; Optuna gives each trial to one process only. While a process works on a trial, it writes a
heartbeat to the storage every few seconds. If the heartbeat stops, another process enqueues the
trial again.
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
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

from tracking import metrics, mlflow_store
from train.errors import TrainError
from train.sweep import parent_run
from train.sweep.study_storage import GRACE_SECONDS, open_storage

_DONE = (TrialState.COMPLETE, TrialState.PRUNED)
_SPEC, _PARENT, _PLANNED = "spec", "parent", "planned"
_RUN = "run_id"
MAX_RETRIES = 3  # of a trial whose process died, for instance for lack of memory


@dataclass(frozen=True)
class SweepStatus:
    """The progress of a sweep."""

    done: int
    total: int
    best: float | None
    """Best value of the metric."""
    seconds_left: float | None
    """Estimated for the current number of processes."""


@dataclass(frozen=True)
class Result:
    """The result of a trial."""

    value: float
    """Of the metric."""
    is_last: bool
    """Whether this process should take no other trial."""


class _TakenError(Exception):
    """Another process has taken the trial."""


class Study:
    """The trials of one sweep.

    Args:
        url: of the database.
        name: of a new or existing study.
        spec: description of the sweep; that of an existing study must be the same.
        trials: user attributes of each trial of a new study.
        begin: creates the parent run of a new study in MLflow; returns its id.
        metric: by which trials are compared.
        seed: of the sampler.

    Raises:
        TrainError: the database can't be used, or the existing study is of another sweep.

    """

    def __init__(
        self,
        url: str,
        name: str,
        spec: Mapping[str, Any],
        trials: list[dict[str, Any]],
        begin: Callable[[], str],
        metric: str,
        seed: int = 0,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter(
            "ignore", ExperimentalWarning
        )  # heartbeats have been experimental for years
        minimizes = metrics.lower_is_better(metric)
        self._best = min if minimizes else max
        storage = open_storage(url, _stale)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2)
        try:
            self._study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction="minimize" if minimizes else "maximize",
                pruner=pruner,
            )
        except DuplicatedStudyError:
            self._study = optuna.load_study(storage=storage, study_name=name, pruner=pruner)
            self._join(name, spec)
        else:
            try:
                self._study.set_user_attr(_SPEC, json.dumps(spec))
                self._study.set_user_attr(_PLANNED, len(trials))
                for attributes in trials:
                    self._study.enqueue_trial({}, user_attrs=attributes)
                self._study.set_user_attr(
                    _PARENT, begin()
                )  # last, because other processes wait for it
            except BaseException:
                optuna.delete_study(study_name=name, storage=storage)
                raise
        self.parent: str = self._study.user_attrs[_PARENT]
        # Each process joins at another time, and needs a seed of its own to propose other values.
        started = len(self._study.get_trials(deepcopy=False)) - self._count(TrialState.WAITING)
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=10, constant_liar=True, seed=seed + started
        )

    def _join(self, name: str, spec: Mapping[str, Any]) -> None:
        until = time.monotonic() + GRACE_SECONDS
        while _PARENT not in self._study.user_attrs:
            if time.monotonic() > until:
                raise TrainError(
                    f"study {name} was never completely created; choose another --study"
                )
            time.sleep(0.2)
        known = json.loads(self._study.user_attrs[_SPEC])
        if known != spec:
            keys = [key for key in known | spec if known.get(key) != spec.get(key)]
            differences = "; ".join(
                f"{key} is {known.get(key)}, not {spec.get(key)}" for key in keys
            )
            raise TrainError(f"study {name} is of another sweep: {differences}")

    def work(self, objective: Callable[[optuna.Trial], Result]) -> None:
        """Run trials until none is left, including those of other processes, which may die.

        Raises:
            KeyboardInterrupt: a result was the last one of this process.

        """
        while self._count(TrialState.WAITING, TrialState.RUNNING):
            optuna.storages.fail_stale_trials(self._study)
            if not self._count(TrialState.WAITING):
                time.sleep(1)
            elif self._run_one(objective):
                raise KeyboardInterrupt

    def _run_one(self, objective: Callable[[optuna.Trial], Result]) -> bool:
        """Take a trial and run it; returns whether it should be the last one."""
        is_last = is_stale = False

        def run(trial: optuna.Trial) -> float:
            nonlocal is_last, is_stale
            if not trial.user_attrs:
                raise _TakenError  # by another process in the meantime
            try:
                result = objective(trial)
                is_last = result.is_last
                return result.value
            except optuna.TrialPruned:
                raise
            except BaseException as error:
                is_last = isinstance(error, KeyboardInterrupt)
                if self._is_running(trial):
                    _enqueue_again(self._study, trial)
                raise
            finally:
                is_stale = not self._is_running(trial)

        try:
            self._study.optimize(run, n_trials=1, catch=(_TakenError,))
        except BaseException:
            # If this process wrote no heartbeat for too long, for instance because the machine was
            # suspended, the trial was enqueued again, and Optuna rejects the result.
            if not is_stale:
                raise
        return is_last

    def _is_running(self, trial: optuna.Trial) -> bool:
        return self._study.get_trials(deepcopy=False)[trial.number].state == TrialState.RUNNING

    @property
    def has_running_trials(self) -> bool:
        """Whether any process runs a trial."""
        return self._count(TrialState.RUNNING) > 0

    @property
    def missing(self) -> int:
        """Number of trials without a result, once none is left: their processes always died."""
        planned: int = self._study.user_attrs[_PLANNED]
        return planned - self._count(*_DONE)

    @staticmethod
    def set_run_id(trial: optuna.Trial, run_id: str) -> None:
        """Note the MLflow run of a trial."""
        trial.set_user_attr(_RUN, run_id)

    def status(self) -> SweepStatus:
        """The current progress."""
        done = self._study.get_trials(deepcopy=False, states=_DONE)
        seconds = [trial.duration.total_seconds() for trial in done if trial.duration]
        left = self._count(TrialState.WAITING, TrialState.RUNNING)
        at_once = max(1, self._count(TrialState.RUNNING))
        complete = [trial.value for trial in done if trial.state == TrialState.COMPLETE]
        values = [value for value in complete if value is not None]
        return SweepStatus(
            len(done),
            len(done) + left,
            self._best(values, default=None),
            mean(seconds) * left / at_once if seconds else None,
        )

    def importance(self) -> dict[str, float]:
        """Importance of each parameter of a search (fANOVA); empty if it can't be computed."""
        complete = self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        if (
            not any(trial.params for trial in complete)
            or len({trial.value for trial in complete}) < 2
        ):
            return {}
        return optuna.importance.get_param_importances(self._study)

    def _count(self, *states: TrialState) -> int:
        return len(self._study.get_trials(deepcopy=False, states=states))


def _stale(study: optuna.Study, trial: FrozenTrial) -> None:
    """Enqueue a trial again whose process died, and mark its run."""
    RetryHeartbeatStaleTrialCallback(max_retry=MAX_RETRIES)(study, trial)
    if run_id := trial.user_attrs.get(_RUN):
        with contextlib.suppress(*mlflow_store.STORE_ERRORS):
            parent_run.mark(run_id, "KILLED")  # its process can't do it


def _enqueue_again(study: optuna.Study, trial: optuna.Trial | FrozenTrial) -> None:
    attributes = {key: value for key, value in trial.user_attrs.items() if key != _RUN}
    study.enqueue_trial({}, user_attrs=attributes)
