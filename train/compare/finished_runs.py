"""The runs that are compared, as MLflow has them."""

import contextlib
import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tracking import metrics, run_session
from tracking.run_session import SEED_SEPARATOR
from train import preset
from train.compare.compare_arguments import Compare
from train.errors import TrainError
from train.run_options import described, of_preset

_NO_TEACHER = "None"
_OURS = ("dataset_sha256", "parameters", "seed", "teacher")
"""Parameters that are no options, or that are shown in another way."""


@dataclass(frozen=True)
class Run:
    """A finished run."""

    run_id: str
    name: str
    seed: str
    parent: str | None
    """Of the sweep that it is a part of."""
    options: dict[str, str]
    """For people; in place of a teacher's id stands its preset."""
    departures: frozenset[str]
    """Names of the options that are not as its preset has them."""
    metrics: dict[str, float]
    test_images: int
    """That its test accuracy was measured with; 0 where that is not known."""
    identity: str
    """The same for runs that differ in their seeds alone, and in those of their teachers."""


def find(wanted: Compare) -> list[Run]:
    """The finished runs that are wanted, in no order.

    Raises:
        TrainError: there is none.

    """
    client = MlflowClient()
    found = _of_ids(client, wanted.runs) if wanted.runs else _of(client, wanted.experiment)
    runs = [_run(client, run) for run in found if "test_accuracy" in run.data.metrics]
    if not runs:
        which = " ".join(wanted.runs) or f"experiment {wanted.experiment!r}"
        raise TrainError(f"{which}: no finished run to compare; train one: python -m train")
    return runs


def curves(run: Run, metric: str) -> tuple[list[int], list[float]]:
    """The epochs, counted from 1, and the metric after each."""
    history = MlflowClient().get_metric_history(run.run_id, f"epoch/{metric}")
    points = sorted((one.step, one.value) for one in history)
    return [epoch for epoch, _ in points], [value for _, value in points]


def importance(runs: Sequence[Run]) -> dict[str, float]:
    """Of the options that a search went over, largest first, where all runs are of one search."""
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
            raise TrainError(f"run {run_id} is {run.info.status}; only FINISHED runs are compared")
        found |= {one.info.run_id: one for one in parts or [run]}
    return list(found.values())


def _search(experiment_id: str, condition: str) -> list[MlflowRun]:
    found: list[MlflowRun] = mlflow.search_runs(
        [experiment_id], filter_string=condition, output_format="list"
    )
    return found


def _get(client: MlflowClient, run_id: str) -> MlflowRun | None:
    """A run that another one speaks of, and that may be gone."""
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise


def _run(client: MlflowClient, run: MlflowRun) -> Run:
    params, tags = run.data.params, run.data.tags
    options = {key: value for key, value in params.items() if key not in _OURS}
    if ended := tags.get(run_session.CUT_SHORT_TAG):
        options[run_session.CUT_SHORT_TAG] = (
            ended  # a run cut short is not one more seed of a whole one
        )
    identity = [sorted(options.items()), params.get("dataset_sha256")]
    if (teacher := params.get("teacher", _NO_TEACHER)) != _NO_TEACHER:
        known = _get(client, teacher)
        taught = known and _run(client, known)
        options["teacher"] = taught.options.get("preset", teacher) if taught else teacher
        identity.append(taught.identity if taught else teacher)
    metrics = {name: value for name, value in run.data.metrics.items() if math.isfinite(value)}
    with contextlib.suppress(ValueError):
        metrics["parameters"] = float(params.get("parameters", ""))
    return Run(
        run_id=run.info.run_id,
        name=run.info.run_name,
        seed=params.get("seed", ""),
        parent=tags.get(MLFLOW_PARENT_RUN_ID),
        options=options,
        departures=frozenset(options) - _implied(run.info.run_name, options),
        metrics=metrics,
        test_images=_test_images(run),
        identity=json.dumps(identity),
    )


def _implied(name: str, options: dict[str, str]) -> frozenset[str]:
    """The options that a run's preset says, and the preset itself where its name does."""
    known = options.get("preset", "")
    implied = {key for key, text in _of_preset(known).items() if options.get(key) == text}
    return frozenset(
        implied | ({"preset"} if name.partition(SEED_SEPARATOR)[0] == known else set())
    )


@functools.cache
def _of_preset(name: str) -> dict[str, str]:
    """What a preset says; nothing where there is none of that name."""
    return described(of_preset(name)) if name in preset.names() else {}


def _test_images(run: MlflowRun) -> int:
    for given in run.inputs.dataset_inputs if run.inputs else ():
        if given.dataset.profile and any(tag.value == "test" for tag in given.tags):
            shape = json.loads(given.dataset.profile).get("features_shape")
            return int(shape[0]) if isinstance(shape, list) else 0
    return 0
