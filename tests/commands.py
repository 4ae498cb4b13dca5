"""``python -m train`` and ``python -m export`` in this process, which has imported TensorFlow.

For tests of what a command does. Where the process itself is the subject (signals, exit, memory),
tests start one.
"""

import contextlib
import importlib
import io
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import mlflow

from tests.conftest import python_environment


def call(
    command: str, *arguments: str | Path, cwd: Path, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder, with the MLflow store there; returns what a process would."""
    argv = [command, *map(str, arguments)]
    # What it sets in the environment when it is imported is to stay after this call.
    module = importlib.import_module(f"{command}.__main__")
    out, err = io.StringIO(), io.StringIO()
    with (
        _surroundings(cwd, argv, environment),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            status = module.main()
        except SystemExit as ended:  # argparse's
            status = int(ended.code or 0)
    return subprocess.CompletedProcess(argv, status, out.getvalue(), err.getvalue())


def export(work: Path, *arguments: str | Path) -> tuple[int, str, str]:
    """Run ``python -m export`` on the MLflow store in ``work``: status, stdout and stderr."""
    done = call("export", *arguments, cwd=work)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def _surroundings(cwd: Path, argv: list[str], more: dict[str, str]) -> Iterator[None]:
    """The folder, variables, arguments and signals of a process of its own."""
    # What MLflow or a command sets when it is imported is set here already, and stays.
    environment = {**os.environ, "PYTHONPATH": python_environment()["PYTHONPATH"]}
    environment.pop("MLFLOW_TRACKING_URI", None)
    if (cwd / "mlflow.db").exists():
        # MLflow keeps its connections by the name of a store, so that shall not be relative.
        environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{cwd}/mlflow.db"
    environment |= more
    store = mlflow.get_tracking_uri() if mlflow.tracking.is_tracking_uri_set() else ""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with (
            contextlib.chdir(cwd),
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.object(sys, "argv", argv),
            warnings.catch_warnings(action="ignore"),  # for pytest they are errors
        ):
            yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        mlflow.set_tracking_uri(store)
