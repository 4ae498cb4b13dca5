"""One process's part in a sweep."""

import contextlib
import dataclasses
import json
import logging
from typing import Any

import keras
import mlflow
import optuna
from optuna.exceptions import OptunaError, UpdateFinishedTrialError
from rich.console import Console

from tracking import mlflow_store
from tracking.run_session import SEED_SEPARATOR, Pruned, RunInfo
from train import preset, run_options
from train.data.datasets import Dataset
from train.errors import TrainError
from train.run_options import Options
from train.sweep import parent_run, search_space, sweep_plan
from train.sweep.study import Made, Study
from train.sweep.sweep_arguments import Sweep
from train.sweep.sweep_progress import Board
from train.training import trainer


def sweep(wanted: Sweep, console: Console) -> str:
    """Make the runs of a plan, beside all other processes that work at the same study.

    Returns:
        The id of the MLflow run that they are below.

    Raises:
        TrainError: the data, MLflow or the study can't be used.
        KeyboardInterrupt: somebody wants an end; what is left can be made later.

    """
    uri = mlflow_store.connect()
    if wanted.storage == uri:
        raise TrainError(f"--storage {uri} is MLflow's; Optuna needs a database of its own")
    with console.status("reading the data"):
        dataset = trainer.read(wanted.options)
    try:
        return _sweep(wanted, dataset, console)
    except mlflow_store.STORE_ERRORS as error:
        raise mlflow_store.unusable(uri, error) from None
    except OptunaError as error:
        raise TrainError(f"Optuna's storage: {mlflow_store.first_line(error)}") from None


def _sweep(wanted: Sweep, dataset: Dataset, console: Console) -> str:
    study = Study(
        wanted.storage,
        wanted.study,
        _spec(wanted, dataset),
        _slots(wanted),
        lambda: parent_run.begin(wanted),
    )
    console.print(
        f"study {wanted.study}; another process joins it with --study {wanted.study}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    # A new model for each run is what TensorFlow takes for a slip in a loop.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    _work(study, wanted, dataset, Board(console, study))
    if (best := study.standing().best) is not None:
        parent_run.result(study.parent, best, study.importance())
    console.print(f"compare: python -m train compare --runs {study.parent}", highlight=False)
    return study.parent


def _work(study: Study, wanted: Sweep, dataset: Dataset, board: Board) -> None:
    board.start()
    parent_run.goes_on(study.parent)
    try:
        study.work(lambda trial: _make(trial, study.parent, wanted, dataset, board))
    except BaseException as error:
        if not study.is_at_work:  # by another process
            with contextlib.suppress(*mlflow_store.STORE_ERRORS):
                is_wish = isinstance(error, KeyboardInterrupt)
                parent_run.mark(study.parent, "KILLED" if is_wish else "FAILED")
        raise
    finally:
        board.stop()
    parent_run.mark(study.parent, "FINISHED")


def _make(
    trial: optuna.Trial, parent_id: str, wanted: Sweep, dataset: Dataset, board: Board
) -> Made:
    """Make one run."""
    name, chosen = _chosen(trial, wanted)
    place = RunInfo(name, parent_id, {"sweep": wanted.study, "trial": str(trial.number)})
    board.begin(name)
    keras.backend.clear_session()  # else each run's layers stay
    reporter = _Reporter(trial, prunes=bool(wanted.plan.space))
    try:
        outcome = trainer.begin(chosen, preset.DEFAULT, dataset, board, place, [reporter])
    except Pruned as reason:
        board.end(str(reason))
        raise optuna.TrialPruned from None
    accuracy = outcome.metrics["val_accuracy"]
    board.end(f"validation {accuracy:.2%}  {outcome.metrics['train_seconds']:.1f} s")
    if outcome.is_cut_short:
        raise KeyboardInterrupt
    return Made(accuracy, outcome.is_interrupted)


def _chosen(trial: optuna.Trial, wanted: Sweep) -> tuple[str, Options]:
    """The name and the options of a trial's run."""
    if wanted.plan.space:
        values = {name: one.suggest(name, trial) for name, one in wanted.plan.space.items()}
        chosen = dataclasses.replace(wanted.options, **search_space.settings(values))
        if fault := chosen.fault():
            raise TrainError(f"trial {trial.number}: {fault}")
        return f"trial {trial.number}", chosen
    name, seed = trial.user_attrs["run"], trial.user_attrs["seed"]
    chosen = dataclasses.replace(wanted.options, **wanted.plan.runs[name], seed=seed)
    return f"{name}{SEED_SEPARATOR}{seed}", chosen


class _Reporter(keras.callbacks.Callback):
    """Tells the study of a run, and may end one that falls behind those before it."""

    def __init__(self, trial: optuna.Trial, *, prunes: bool) -> None:
        super().__init__()
        self._trial = trial
        self._prunes = prunes

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Tell which run it is."""
        if active := mlflow.active_run():
            Study.name_run(self._trial, active.info.run_id)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Compare it after each epoch, counted from 0, but the last: then it is done anyway."""
        try:
            self._trial.report((logs or {})["val_accuracy"], epoch)
        except UpdateFinishedTrialError:
            raise Pruned("given up: it was silent for so long that it counted as lost") from None
        is_last = epoch + 1 == self.params["epochs"]
        if self._prunes and not is_last and self._trial.should_prune():
            mlflow.set_tag("pruned_after_epoch", epoch + 1)
            raise Pruned(f"given up after epoch {epoch + 1}, behind the others")


def _slots(wanted: Sweep) -> list[dict[str, Any]]:
    """What each run is known by in the study."""
    if wanted.plan.space:
        return [{"slot": number} for number in range(wanted.plan.trials)]
    runs = sweep_plan.repeated(wanted.plan, wanted.options.seed)
    return [{"run": name, "seed": seed} for name, seed in runs]


def _spec(wanted: Sweep, dataset: Dataset) -> dict[str, Any]:
    """What makes two sweeps the same one, as JSON has it."""
    shared = run_options.to_json(wanted.options)
    spec = {name: value for name, value in shared.items() if name not in run_options.PLACES}
    for name in ("runs", "seeds", "space", "trials"):
        spec[f"the plan's {name}"] = dataclasses.asdict(wanted.plan)[name]
    spec["the data's sha256"] = dataset.sha256
    described: dict[str, Any] = json.loads(json.dumps(spec))
    return described
