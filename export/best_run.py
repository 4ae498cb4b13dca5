"""Which run ``python -m export --best`` takes."""

import math
from collections import Counter
from collections.abc import Sequence

import mlflow
from mlflow.entities import Experiment, Run

from export.errors import ExportError
from tracking import mlflow_store, run_session
from tracking.metrics import lower_is_better

DEFAULT_METRICS = {"classification": "val_accuracy", "regression": "val_rmse"}
_FINISHED = "attributes.status = 'FINISHED'"
_TRAINED = f"{_FINISHED} and params.dataset LIKE '%'"  # benchmarks also make runs


def best_run(experiment: str | None, metric: str | None, name: str | None = None) -> str:
    """Find the finished run of an experiment that is best by ``metric``; returns its id.

    The largest value is best, except for losses, errors, times and sizes.

    Args:
        experiment: its name. Without one: the one that is called ``name``, or else the only one
            that has runs of training.
        metric: in MLflow; by default that of the task in ``DEFAULT_METRICS``.
        name: of the model to publish.

    Raises:
        ExportError: there is no such experiment, several could be meant, it has no finished run
            with this metric, or its runs can't be compared.

    """
    try:
        chosen = _chosen(experiment, name)
        runs = mlflow.search_runs(
            [chosen.experiment_id], filter_string=_FINISHED, output_format="list"
        )
    except mlflow_store.STORE_ERRORS as error:
        raise ExportError(f"MLflow: {mlflow_store.first_line(error)}") from None
    measured = [
        run
        for run in runs
        if not math.isnan(run.data.metrics.get(_metric(run, metric), math.nan))
        and run_session.BASELINE_TAG not in run.data.tags
    ]
    if not measured:
        wanted = metric or " or ".join(DEFAULT_METRICS.values())
        raise ExportError(
            f"experiment {chosen.name!r} has no finished run with the metric {wanted}"
        )
    _check_comparable(chosen.name, measured)
    key = _metric(measured[0], metric)
    pick = min if lower_is_better(key) else max
    return str(pick(measured, key=lambda run: run.data.metrics[key]).info.run_id)


def _chosen(experiment: str | None, name: str | None) -> Experiment:
    known = {found.name: found for found in mlflow.search_experiments()}
    if experiment is not None:
        if experiment not in known:
            raise ExportError(f"MLflow has no experiment {experiment!r}")
        return known[experiment]
    if name in known:
        return known[name]
    trained = [
        found
        for found in known.values()
        if mlflow.search_runs(
            [found.experiment_id], filter_string=_TRAINED, max_results=1, output_format="list"
        )
    ]
    if len(trained) == 1:
        return trained[0]
    if not trained:
        raise ExportError("MLflow has no finished run of python -m train")
    raise ExportError(
        "MLflow has runs of several experiments; choose one:"
        + "".join(f"\n  python -m export --best --experiment {one.name}" for one in trained)
    )


def _metric(run: Run, metric: str | None) -> str:
    return metric or DEFAULT_METRICS.get(_task(run), "")


def _task(run: Run) -> str:
    return str(run.data.params.get("task", "classification"))


def _check_comparable(experiment: str, runs: Sequence[Run]) -> None:
    """Refuse runs that were not measured on the same rows for the same task."""
    kinds = Counter(_measured_on(run) for run in runs)
    if len(kinds) < 2:
        return
    raise ExportError(
        f"the runs of experiment {experiment!r} can't be compared:"
        + "".join(f"\n  {count} of {kind}" for kind, count in kinds.most_common())
        + "\nchoose a run with --run, or give other data an experiment of its own"
        " (python -m train --experiment)"
    )


def _measured_on(run: Run) -> str:
    params = run.data.params
    fold = params.get("fold", "None")
    rows = (
        f"fold {fold}" if fold != "None" else f"{params.get('validation_split', 'unknown')} of it"
    )
    return (
        f"data set {params.get('dataset', 'unknown')}"
        f" {params.get('dataset_sha256', '')[:12] or 'without a digest'}, validated on {rows}"
        f" by split seed {params.get('split_seed', 'unknown')}, {_task(run)}"
    )
