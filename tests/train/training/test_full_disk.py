"""A disk that is full while a run is recorded: said in a line, and the run goes on afterwards."""

import errno
import os
from pathlib import Path
from typing import Any
from unittest import mock

import mlflow
import pytest

from tests.commands import call

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full(function: str) -> Any:
    """Have one of MLflow's functions find the disk full, the first time that it is called."""
    first_time_only = [FULL, *[mock.DEFAULT] * 9]
    wraps = getattr(mlflow, function)
    return mock.patch.object(mlflow, function, wraps=wraps, side_effect=first_time_only)


def last_line(work: Path, folder: Path) -> str:
    data = ("--data", work / "few.npz", "--epochs", "2", "--hidden", "8")
    done = call("train", *data, cwd=folder)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("function", ["log_artifact", "log_metrics"])
def test_the_run_can_go_on_afterwards(work: Path, folder: Path, function: str) -> None:
    with full(function):
        last = last_line(work, folder)
    assert last.startswith("train: [Errno 28] No space left on device; the run goes on with")
    resumed = call("train", "--resume", last.split()[-1], cwd=folder)
    assert resumed.returncode == 0, resumed.stderr


def test_only_the_end_can_not_be_recorded(work: Path, folder: Path) -> None:
    with full("end_run"):
        last = last_line(work, folder)
    assert last.startswith("train: [Errno 28] No space left on device; run ")
    assert last.endswith(" is not marked as finished")
