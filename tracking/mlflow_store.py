"""A training run as MLflow records it."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from train.errors import TrainError

# What MLflow raises where its store is damaged or out of reach.
STORE_ERRORS = (MlflowException, SQLAlchemyError, OSError)

DEFAULT_FILE = Path("mlflow.db")
ENDED = "ended_after_epoch"  # the tag of a run that was cut short
SEED = ", seed "  # between the name of runs that differ in it and its number
IMPORTANCE = "importance/"  # how a sweep's metrics begin that say what decided in a search
# Within the run, for export: x_test and y_test; and x_train, some rows of the training set.
TEST_SET_ARTIFACT = "data/test.npz"
CALIBRATION_ARTIFACT = "data/calibration.npz"


def connect() -> str:
    """Point MLflow at ``MLFLOW_TRACKING_URI``, by default a SQLite file in this folder.

    Returns:
        The address in use.

    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{DEFAULT_FILE}"
    mlflow.set_tracking_uri(uri)
    return uri


@dataclass(frozen=True)
class Place:
    """Where a run belongs: alone, or below another one."""

    name: str
    """That MLflow shows."""
    parent: str | None = None
    """Id of the run that it is a part of."""
    tags: Mapping[str, str] = field(default_factory=dict)


class Pruned(Exception):
    """The run is not worth going on with."""


def lacks() -> str:
    """Why there is nothing to read as yet, for people; empty where there is a store."""
    if os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_FILE.exists():
        return ""
    return (
        f"there is no {DEFAULT_FILE} in this folder: train a model first (python -m train), or set"
        " MLFLOW_TRACKING_URI"
    )


def run(experiment: str, place: Place) -> AbstractContextManager[mlflow.ActiveRun]:
    """Open a run that never stays RUNNING.

    It ends FINISHED, KILLED where it was interrupted or pruned, else FAILED.
    """

    def start() -> mlflow.ActiveRun:
        mlflow.set_experiment(experiment)
        return mlflow.start_run(
            run_name=place.name,
            nested=place.parent is not None,
            parent_run_id=place.parent,
            tags={**git_tags(), **place.tags},
        )

    return _recorded(start)


def resumed(run_id: str) -> AbstractContextManager[mlflow.ActiveRun]:
    """The same for a run that there is."""
    return _recorded(lambda: mlflow.start_run(run_id))


def unusable(uri: str, error: Exception) -> TrainError:
    """What to tell of one of ``STORE_ERRORS``."""
    return TrainError(f"MLflow at {uri}: {first_line(error)}")


def first_line(error: Exception | None) -> str:
    """Of what it says: a database's error goes on with SQL."""
    return str(error).partition("\n")[0]


@contextmanager
def _recorded(start: Callable[[], mlflow.ActiveRun]) -> Iterator[mlflow.ActiveRun]:
    uri = connect()
    try:
        active = start()
    except STORE_ERRORS as error:
        raise unusable(uri, error) from None
    run_id = active.info.run_id
    try:
        yield active
    except (KeyboardInterrupt, SystemExit, Pruned):
        _end("KILLED")
        raise
    except STORE_ERRORS as error:
        _end("FAILED")
        raise TrainError(f"{_told(uri, error)}; the run goes on with --resume {run_id}") from None
    except BaseException:
        _end("FAILED")
        raise
    try:
        mlflow.end_run("FINISHED")
    except STORE_ERRORS as error:
        _end("FAILED")
        raise TrainError(f"{_told(uri, error)}; run {run_id} is not marked as finished") from None


def _told(uri: str, error: Exception) -> object:
    """The reason in a line; that a disk is full says the same wherever it was written to."""
    return first_line(error) if isinstance(error, OSError) else unusable(uri, error)


def _end(status: str) -> None:
    with suppress(*STORE_ERRORS):  # what led here says more
        mlflow.end_run(status)


def git_tags() -> dict[str, str]:
    """The commit under the name that MLflow's pages show, and whether files had been changed."""
    if built_of := os.environ.get("ONNXLET_COMMIT"):  # an image has no git
        return {"mlflow.source.git.commit": built_of}
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {"mlflow.source.git.commit": commit, "git_dirty": str(bool(changed)).lower()}


def _git(*arguments: str) -> str:
    try:
        # Of the code, not of the folder that the data lies in.
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""  # no git, or not a checkout: the tag is left out
