"""Servers of others in processes of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.request import urlopen

from tests.conftest import ROOT, python_environment

SECONDS = 120


@contextmanager
def started(
    command: list[str], port: int, path: str = "/health", **environment: str
) -> Iterator[str]:
    """Run a command that serves on a port, until the block ends; gives its address.

    It has begun to serve when it answers at ``path``.
    """
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=python_environment(**environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            _wait_for(process, port, path)
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


def _wait_for(process: "subprocess.Popen[bytes]", port: int, path: str) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "what should serve has ended"
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {path}")
