"""A training run as MLflow records it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from train.errors import TrainError

# What MLflow raises where its store is damaged or out of reach.
STORE_ERRORS = (MlflowException, SQLAlchemyError, OSError)

DEFAULT_FILE = Path("mlflow.db")
TEST_SET_ARTIFACT = "data/test.npz"  # x_test and y_test, within the run; export reads it


def connect() -> str:
    """Point MLflow at ``MLFLOW_TRACKING_URI``, by default a SQLite file in this folder.

    Returns:
        The address in use.

    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{DEFAULT_FILE}"
    mlflow.set_tracking_uri(uri)
    return uri


@contextmanager
def run(experiment: str) -> Iterator[mlflow.ActiveRun]:
    """Open a run that never stays RUNNING: FINISHED, KILLED when interrupted, else FAILED."""
    uri = connect()
    try:
        mlflow.set_experiment(experiment)
        active = mlflow.start_run(tags=_git_tags())
    except STORE_ERRORS as error:
        raise _unusable(uri, error) from None
    with _ended(active):
        yield active


@contextmanager
def resumed(run_id: str) -> Iterator[mlflow.ActiveRun]:
    """The same for a run that there is."""
    uri = connect()
    try:
        active = mlflow.start_run(run_id)
    except STORE_ERRORS as error:
        raise _unusable(uri, error) from None
    with _ended(active):
        yield active


def _unusable(uri: str, error: Exception) -> TrainError:
    return TrainError(f"MLflow at {uri}: {str(error).partition(chr(10))[0]}")


@contextmanager
def _ended(active: mlflow.ActiveRun) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        mlflow.end_run("KILLED")
        raise
    except BaseException:
        mlflow.end_run("FAILED")
        raise
    mlflow.end_run("FINISHED")


def _git_tags() -> dict[str, str]:
    """The commit under the name that MLflow's pages show, and whether files had been changed."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {"mlflow.source.git.commit": commit, "git_dirty": str(bool(changed)).lower()}


def _git(*arguments: str) -> str:
    try:
        command = [
            "git",
            "-C",
            str(Path(__file__).parent),
            *arguments,
        ]  # the code's, not the data's
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""  # no git, or not a checkout: the tag is left out
