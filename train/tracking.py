"""A training run as MLflow records it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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


def run(experiment: str) -> AbstractContextManager[mlflow.ActiveRun]:
    """Open a run that never stays RUNNING: FINISHED, KILLED when interrupted, else FAILED."""

    def start() -> mlflow.ActiveRun:
        mlflow.set_experiment(experiment)
        return mlflow.start_run(tags=_git_tags())

    return _recorded(start)


def resumed(run_id: str) -> AbstractContextManager[mlflow.ActiveRun]:
    """The same for a run that there is."""
    return _recorded(lambda: mlflow.start_run(run_id))


@contextmanager
def _recorded(start: Callable[[], mlflow.ActiveRun]) -> Iterator[mlflow.ActiveRun]:
    uri = connect()
    try:
        active = start()
    except STORE_ERRORS as error:
        reason = str(error).partition("\n")[0]
        raise TrainError(f"MLflow at {uri}: {reason}") from None
    try:
        yield active
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
