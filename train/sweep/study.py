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
from optuna.exceptions import (
    DuplicatedStudyError,
    ExperimentalWarning,
    StorageInternalError,
    UpdateFinishedTrialError,
)
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from train.errors import TrainError
from train.sweep import parent

SIGN_SECONDS = 5
SILENT_SECONDS = 30  # after which a process counts as gone
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
        storage = _storage(url)
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
            self._study.set_user_attr(_SPEC, json.dumps(spec))
            for slot in slots:
                self._study.enqueue_trial({}, user_attrs=slot)
            self._study.set_user_attr(_PARENT, begin())  # last: now others may take runs
        self.parent: str = self._study.user_attrs[_PARENT]

    def _join(self, name: str, spec: Mapping[str, Any]) -> None:
        until = time.monotonic() + SILENT_SECONDS
        while _PARENT not in self._study.user_attrs:
            if time.monotonic() > until:
                raise TrainError(f"study {name} was never begun in full; take another --study")
            time.sleep(0.2)
        known = json.loads(self._study.user_attrs[_SPEC])
        if known != spec:
            differing = [key for key in spec if known.get(key) != spec[key]]
            told = "; ".join(f"{key} is {known.get(key)}, not {spec[key]}" for key in differing)
            raise TrainError(f"study {name} is another one: {told}")

    def work(self, make: Callable[[optuna.Trial], float]) -> None:
        """Make runs until none is left, also none that another process makes and may lose.

        Args:
            make: a run; returns its validation accuracy.

        """

        def made(trial: optuna.Trial) -> float:
            if not trial.user_attrs:
                raise _TakenError  # by another process, since it was seen waiting
            try:
                return make(trial)
            except optuna.TrialPruned:
                raise
            except BaseException:
                _wait_again(self._study, trial)
                raise

        while self._count(TrialState.WAITING, TrialState.RUNNING):
            optuna.storages.fail_stale_trials(self._study)
            if self._count(TrialState.WAITING):
                with contextlib.suppress(UpdateFinishedTrialError):  # it fell silent, as one asleep
                    self._study.optimize(made, n_trials=1, catch=(_TakenError,))
            else:
                time.sleep(1)

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


def _storage(url: str) -> RDBStorage:
    try:
        patient = {"timeout": 60} if make_url(url).get_backend_name() == "sqlite" else {}
        return RDBStorage(
            url,
            engine_kwargs={"connect_args": patient},
            heartbeat_interval=SIGN_SECONDS,
            grace_period=SILENT_SECONDS,
            heartbeat_stale_trial_callback=_lost,
        )
    except (SQLAlchemyError, StorageInternalError, ImportError, RuntimeError) as error:
        raise TrainError(f"--storage {url}: {str(error).partition(chr(10))[0]}") from None


def _lost(study: optuna.Study, trial: FrozenTrial) -> None:
    if run_id := trial.user_attrs.get(_RUN):
        parent.end(run_id, "KILLED")  # its process can't say so any more
    _wait_again(study, trial)


def _wait_again(study: optuna.Study, trial: optuna.Trial | FrozenTrial) -> None:
    slot = {key: value for key, value in trial.user_attrs.items() if key != _RUN}
    study.enqueue_trial({}, user_attrs=slot)
