"""Run trials of a sweep in this process."""

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

from tracking import metrics, mlflow_store
from tracking.run_session import SEED_SEPARATOR, Pruned, RunInfo
from train import run_options
from train.data import caveats
from train.data.dataset import Dataset
from train.errors import TrainError
from train.reading import reader
from train.run_options import Options
from train.sweep import parent_run, search_space, sweep_plan
from train.sweep.study import MAX_RETRIES, Result, Study
from train.sweep.sweep_arguments import SweepOptions
from train.sweep.sweep_progress import SweepProgress
from train.training import trainer


def sweep(wanted: SweepOptions, console: Console) -> str:
    """Make the runs of a plan, together with all other processes of the same study.

    Returns:
        The id of their parent run in MLflow.

    Raises:
        CommandError: the data, MLflow or the study can't be used.
        KeyboardInterrupt: the sweep was interrupted; it can be continued.

    """
    uri = mlflow_store.connect()
    if wanted.storage == uri:
        raise TrainError(f"--storage {uri} is MLflow's database; Optuna needs its own")
    with console.status("reading the data"):
        dataset = reader.read(wanted.options)
        warnings = caveats.find(dataset)
    for warning in warnings:
        console.print(warning, highlight=False)
    try:
        return _sweep(wanted, dataset, console)
    except mlflow_store.STORE_ERRORS as error:
        raise mlflow_store.unusable(uri, error) from None
    except OptunaError as error:
        raise TrainError(f"Optuna's storage: {mlflow_store.first_line(error)}") from None


def _sweep(wanted: SweepOptions, dataset: Dataset, console: Console) -> str:
    metric = metrics.primary(dataset.task, "val")
    study = Study(
        wanted.storage,
        wanted.study,
        _spec(wanted, dataset),
        _trials(wanted),
        lambda: parent_run.begin(wanted, wanted.options.experiment or dataset.name),
        metric,
        wanted.options.seed,
    )
    console.print(
        f"study {wanted.study}; other processes join it with --study {wanted.study}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    # TensorFlow warns about a new model for each run, as if it were a mistake.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    _work(study, wanted, dataset, SweepProgress(console, study, metric))
    if study.missing:
        console.print(
            f"{study.missing} runs are missing: their processes died {MAX_RETRIES + 1} times",
            highlight=False,
        )
    if (best := study.status().best) is not None:
        parent_run.log_result(study.parent, metric, best, study.importance())
    console.print(f"compare: python -m train compare --runs {study.parent}", highlight=False)
    return study.parent


def _work(study: Study, wanted: SweepOptions, dataset: Dataset, display: SweepProgress) -> None:
    display.start()
    parent_run.mark_running(study.parent)
    try:
        study.work(lambda trial: _make(trial, study.parent, wanted, dataset, display))
    except BaseException as error:
        if not study.has_running_trials:  # by another process
            with contextlib.suppress(*mlflow_store.STORE_ERRORS):
                interrupted = isinstance(error, KeyboardInterrupt)
                parent_run.mark(study.parent, "KILLED" if interrupted else "FAILED")
        raise
    finally:
        display.stop()
    parent_run.mark(study.parent, "FINISHED")


def _make(
    trial: optuna.Trial,
    parent_id: str,
    wanted: SweepOptions,
    dataset: Dataset,
    display: SweepProgress,
) -> Result:
    """Make the run of one trial."""
    name, chosen = _chosen(trial, wanted)
    info = RunInfo(name, parent_id, {"sweep": wanted.study, "trial": str(trial.number)})
    display.begin(name)
    keras.backend.clear_session()  # otherwise the layers of each run stay in memory
    metric = metrics.primary(dataset.task, "val")
    reporter = _Reporter(trial, metric, prunes=bool(wanted.plan.space))
    try:
        outcome = trainer.begin(chosen, wanted.preset, dataset, display, info, [reporter])
    except Pruned as reason:
        display.end(str(reason))
        raise optuna.TrialPruned from None
    value = outcome.metrics[metric]
    seconds = outcome.metrics["train_seconds"]
    display.end(f"validation {metrics.text(metric, value)}  {seconds:.1f} s")
    if outcome.is_cut_short:
        raise KeyboardInterrupt
    return Result(value, outcome.is_interrupted)


def _chosen(trial: optuna.Trial, wanted: SweepOptions) -> tuple[str, Options]:
    """Name and options of a trial's run."""
    if wanted.plan.space:
        values = {name: one.suggest(name, trial) for name, one in wanted.plan.space.items()}
        chosen = dataclasses.replace(wanted.options, **search_space.settings(values))
        if conflict := chosen.conflict():
            raise TrainError(f"trial {trial.number}: {conflict}")
        return f"trial {trial.number}", chosen
    name, seed = trial.user_attrs["run"], trial.user_attrs["seed"]
    chosen = dataclasses.replace(wanted.options, **wanted.plan.runs[name], seed=seed)
    return f"{name}{SEED_SEPARATOR}{seed}", chosen


class _Reporter(keras.callbacks.Callback):
    """Reports a run to the study, and ends it if the pruner says so."""

    def __init__(self, trial: optuna.Trial, metric: str, *, prunes: bool) -> None:
        super().__init__()
        self._metric = metric
        self._trial = trial
        self._prunes = prunes

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Note the MLflow run of the trial."""
        if active := mlflow.active_run():
            Study.set_run_id(self._trial, active.info.run_id)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report each epoch, counted from 0, and ask the pruner after each but the last."""
        try:
            self._trial.report((logs or {})[self._metric], epoch)
        except UpdateFinishedTrialError:
            raise Pruned("given up: without a heartbeat for too long, it counted as dead") from None
        is_last = epoch + 1 == self.params["epochs"]
        if self._prunes and not is_last and self._trial.should_prune():
            mlflow.set_tag("pruned_after_epoch", epoch + 1)
            raise Pruned(f"pruned after epoch {epoch + 1}")


def _trials(wanted: SweepOptions) -> list[dict[str, Any]]:
    """User attributes of each trial of the study."""
    if wanted.plan.space:
        return [{"number": number} for number in range(wanted.plan.trials)]
    runs = sweep_plan.repeated(wanted.plan, wanted.options.seed)
    return [{"run": name, "seed": seed} for name, seed in runs]


def _spec(wanted: SweepOptions, dataset: Dataset) -> dict[str, Any]:
    """A description, in JSON types, that is equal for equal sweeps."""
    shared = run_options.to_json(wanted.options)
    spec = {
        name: value for name, value in shared.items() if name not in run_options.LOCATION_OPTIONS
    }
    for name in ("runs", "seeds", "space", "trials"):
        spec[f"the plan's {name}"] = dataclasses.asdict(wanted.plan)[name]
    spec["the data's sha256"] = dataset.sha256
    described: dict[str, Any] = json.loads(json.dumps(spec))
    return described
