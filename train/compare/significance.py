"""Whether a line of a comparison differs from the best one by more than chance."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import mlflow
from numpy.typing import NDArray

from tracking import artifacts, metrics, paired_tests
from train.compare.finished_runs import Run
from train.compare.run_groups import Group

_UNKNOWN = "–"


def against_best(groups: Sequence[Group], task: str) -> list[Group]:
    """Compare the best run of each group with that of the best group, row by row.

    Runs are only compared if they were validated on the same rows, and kept their results.
    """
    metric = metrics.primary(task, "val")
    measured = [group for group in groups if group.values(metric)]
    if len(measured) < 2:
        return list(groups)
    pick = min if metrics.lower_is_better(metric) else max
    best = pick(measured, key=lambda group: mean(group.values(metric)))

    def best_run(group: Group) -> Run:
        runs = [run for run in group.runs if metric in run.metrics]
        return pick(runs, key=lambda run: run.metrics[metric])

    reference = _Results(best_run(best))
    differences = [
        "best" if group is best else reference.difference(best_run(group), task)
        for group in measured
    ]
    found = dict(zip(map(id, measured), differences, strict=True))
    return [
        dataclasses.replace(group, difference=found.get(id(group), _UNKNOWN)) for group in groups
    ]


class _Results:
    """The results of a run, with which those of others are compared."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rows = _read(run)

    def difference(self, other: Run, task: str) -> str:
        """Say whether another run differs, with the p-value or the interval."""
        if not other.validation_part or other.validation_part != self._run.validation_part:
            return _UNKNOWN
        rows = _read(other)
        if rows is None or self._rows is None or len(rows[0]) != len(self._rows[0]):
            return _UNKNOWN
        (truth, predicted, loss), (_, best_predicted, best_loss) = rows, self._rows
        if task == "classification":
            p = paired_tests.mcnemar(predicted == truth, best_predicted == truth)
            return f"{'yes' if p < paired_tests.SIGNIFICANT else 'no'}, p {p:.2g}"
        low, high = paired_tests.bootstrap_interval(loss, best_loss)
        return f"{'yes' if low > 0 or high < 0 else 'no'}, {low:+.3g} to {high:+.3g}"


def _read(run: Run) -> list[NDArray[Any]] | None:
    """Truth, prediction and loss of each validation row; None if the run did not keep them."""
    folder = str(Path(artifacts.VALIDATION).parent)
    kept = mlflow.MlflowClient().list_artifacts(run.run_id, folder)
    if artifacts.VALIDATION not in {one.path for one in kept}:
        return None
    uri = f"runs:/{run.run_id}/{artifacts.VALIDATION}"
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(mlflow.artifacts.download_artifacts(uri, dst_path=temporary))
        return artifacts.read_arrays(file, "truth", "predicted", "loss")
