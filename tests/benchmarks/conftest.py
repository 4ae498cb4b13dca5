"""What tests of benchmarks share."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module", autouse=True)
def _alone(shared: Path) -> Iterator[None]:
    """One file at a time: Locust's processes find each other at a port that is always the same."""
    with (shared / ".benchmarks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
