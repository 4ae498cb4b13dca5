"""MLflow's server in processes of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from tests.conftest import ROOT, python_environment

SECONDS = 120


@contextmanager
def started(command: list[str], port: int, **environment: str) -> Iterator[str]:
    """Run a command that serves MLflow on a port, until the block ends; gives its address."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=python_environment(**environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "MLflow has ended"
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("MLflow does not answer")
