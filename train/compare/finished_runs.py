"""Read finished runs from MLflow for a comparison."""

import contextlib
import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tracking import git_commit, metrics, run_session
from tracking.run_session import SEED_SEPARATOR
from train import preset
from train.compare.compare_arguments import CompareOptions
from train.errors import TrainError
from train.run_options import described, of_preset

_NONE = "None"
_VALIDATED = {metrics.primary(task, "val") for task in metrics.PRIMARY}
_RELATIVES = ("teacher", "start")
"""Parameters that name other runs."""
_NOT_OPTIONS = ("dataset_sha256", "fold", "parameters", "seed", "task", *_RELATIVES)
"""Parameters that are not options, or are shown in another way."""


@dataclass(frozen=True)
class Run:
    """A finished run."""

    run_id: str
    name: str
    task: str
    seed: str
    parent: str | None
    """Id of the sweep that it is part of."""
    options: dict[str, str]
    """As text; other runs are shown by their presets."""
    off_preset: frozenset[str]
    """Names of the options that differ from its preset."""
    metrics: dict[str, float]
    validation_rows: int
    """Number of rows in the validation part; 0 if unknown."""
    validation_part: str
    """Equal for runs that were validated on the same rows; empty if unknown."""
    is_baseline: bool
    """Its model can't be exported."""
    identity: str
    """Equal for runs that differ only in seeds and folds, their own or those of their relatives."""


def find(wanted: CompareOptions) -> list[Run]:
    """Read the requested finished runs, in no particular order.

    Raises:
        TrainError: there are none.

    """
    client = MlflowClient()
    experiment = wanted.experiment or ("" if wanted.runs else _newest(client))
    found = _of_ids(client, wanted.runs) if wanted.runs else _of(client, experiment)
    runs = [_run(client, run) for run in found if _VALIDATED & run.data.metrics.keys()]
    if not runs:
        which = " ".join(wanted.runs) or f"experiment {experiment!r}"
        raise TrainError(f"{which}: no finished run to compare; train one: python -m train")
    if len(tasks := {run.task for run in runs}) > 1:
        raise TrainError(f"these runs have different tasks: {', '.join(sorted(tasks))}")
    return runs


def curves(run: Run, metric: str) -> tuple[list[int], list[float]]:
    """Read the epochs, counted from 1, and the metric after each."""
    history = MlflowClient().get_metric_history(run.run_id, f"epoch/{metric}")
    points = sorted((one.step, one.value) for one in history)
    return [epoch for epoch, _ in points], [value for _, value in points]


def importance(runs: Sequence[Run]) -> dict[str, float]:
    """Read the importance of a search's options, largest first, if all runs are of one search."""
    parents = {run.parent for run in runs}
    parent = parents.pop() if len(parents) == 1 else None
    searched = parent and _get(MlflowClient(), parent)
    if not searched:
        return {}
    parts = {
        name.removeprefix(metrics.IMPORTANCE_PREFIX): value
        for name, value in searched.data.metrics.items()
        if name.startswith(metrics.IMPORTANCE_PREFIX)
    }
    return dict(sorted(parts.items(), key=lambda part: -part[1]))


def _newest(client: MlflowClient) -> str:
    """The name of the experiment that has the newest finished run.

    Raises:
        TrainError: there is no finished run.

    """
    experiments = {one.experiment_id: one.name for one in client.search_experiments()}
    finished = client.search_runs(
        list(experiments), "attributes.status = 'FINISHED'", order_by=["attributes.end_time DESC"]
    )
    for run in finished:
        if _VALIDATED & run.data.metrics.keys():
            return str(experiments[run.info.experiment_id])
    raise TrainError("no finished run to compare; train one: python -m train")


def _of(client: MlflowClient, experiment: str) -> list[MlflowRun]:
    known = client.get_experiment_by_name(experiment)
    if known is None:
        raise TrainError(f"MLflow has no experiment {experiment!r}")
    return _search(known.experiment_id, "attributes.status = 'FINISHED'")


def _of_ids(client: MlflowClient, run_ids: Sequence[str]) -> list[MlflowRun]:
    found: dict[str, MlflowRun] = {}
    for run_id in run_ids:
        run = client.get_run(run_id)
        parts = _search(
            run.info.experiment_id,
            f"attributes.status = 'FINISHED' and tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'",
        )
        if not parts and run.info.status != "FINISHED":
            raise TrainError(
                f"run {run_id} is {run.info.status}; only FINISHED runs can be compared"
            )
        found |= {one.info.run_id: one for one in parts or [run]}
    return list(found.values())


def _search(experiment_id: str, condition: str) -> list[MlflowRun]:
    found: list[MlflowRun] = mlflow.search_runs(
        [experiment_id], filter_string=condition, output_format="list"
    )
    return found


def _get(client: MlflowClient, run_id: str) -> MlflowRun | None:
    """Get a run to which another run refers; None if it was deleted."""
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise


def _run(client: MlflowClient, run: MlflowRun) -> Run:
    params, tags = run.data.params, run.data.tags
    options = {key: value for key, value in params.items() if key not in _NOT_OPTIONS}
    if (fold := params.get("fold", _NONE)) != _NONE:
        options["folds"] = fold.partition("/")[2]  # the runs of all folds are one line
    if ended := tags.get(run_session.CUT_SHORT_TAG):
        options[run_session.CUT_SHORT_TAG] = ended  # keeps it apart from complete runs
    if commit := tags.get(git_commit.COMMIT_TAG):
        changed = ", changed" if tags.get(git_commit.DIRTY_TAG) == "true" else ""
        options["commit"] = commit[:8] + changed  # other code is another experiment
    identity: list[Any] = [sorted(options.items()), params.get("dataset_sha256")]
    for name in _RELATIVES:
        if (named := params.get(name, _NONE)) != _NONE:
            relatives = [_relative(client, one) for one in named.split(",")]
            options[name] = ", ".join(dict.fromkeys(shown for shown, _ in relatives))
            identity.append([its_identity for _, its_identity in relatives])
    known = {name: value for name, value in run.data.metrics.items() if math.isfinite(value)}
    with contextlib.suppress(ValueError):
        known["parameters"] = float(params.get("parameters", ""))
    return Run(
        run_id=run.info.run_id,
        name=run.info.run_name,
        task=params.get("task", "classification"),
        seed=params.get("seed", ""),
        parent=tags.get(MLFLOW_PARENT_RUN_ID),
        options=options,
        off_preset=frozenset(options) - _implied(run.info.run_name, options),
        metrics=known,
        validation_rows=_validation_rows(run),
        validation_part=_validation_part(params),
        is_baseline=run_session.BASELINE_TAG in tags,
        identity=json.dumps(identity),
    )


def _relative(client: MlflowClient, run_id: str) -> tuple[str, str]:
    """The preset and the identity of a run that another one names; its id if it was deleted."""
    found = _get(client, run_id)
    if found is None:
        return run_id, run_id
    run = _run(client, found)
    return run.options.get("preset", run_id), run.identity


def _implied(name: str, options: dict[str, str]) -> frozenset[str]:
    """The options that a run's preset implies, and the preset itself if the name has it."""
    known = options.get("preset", "")
    implied = {key for key, text in _of_preset(known).items() if options.get(key) == text}
    return frozenset(
        implied | ({"preset"} if name.partition(SEED_SEPARATOR)[0] == known else set())
    )


@functools.cache
def _of_preset(name: str) -> dict[str, str]:
    """The options of a preset; empty if there is no such preset."""
    return described(of_preset(name)) if name in preset.names() else {}


def _validation_part(params: Mapping[str, str]) -> str:
    names = ("dataset_sha256", "split_seed", "fold", "validation_split")
    return json.dumps([params[name] for name in names]) if params.keys() >= {*names} else ""


def _validation_rows(run: MlflowRun) -> int:
    for given in run.inputs.dataset_inputs if run.inputs else ():
        if given.dataset.profile and any(tag.value == "validation" for tag in given.tags):
            shape = json.loads(given.dataset.profile).get("features_shape")
            return int(shape[0]) if isinstance(shape, list) else 0
    return 0
