"""Commands that are killed at random moments: what was there before stays whole and usable."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bundle import labels, layout, reader
from bundle.errors import BundleError
from tests.conftest import python_environment

NAME = "mnist"
COMMANDS = {
    "train": (
        *("-m", "train", "--data", "few.npz", "--experiment", NAME),
        *("--hidden", "16", "--epochs", "2"),
    ),
    "export": ("-m", "export", "--best", "--name", NAME),
    "promote": ("-m", "export", "promote", NAME, "1", "--force"),
}
_POLL = 0.01


@dataclass
class Killed:
    """What came of killing a command again and again."""

    times: int = 0
    """How often it was killed before its end."""
    problems: list[str] = field(default_factory=list)


def prepare(folder: Path) -> None:
    """Train and publish, so that each command has something to lose."""
    for name in COMMANDS:
        _run_whole(folder, COMMANDS[name])


def kill(folder: Path, command: Sequence[str], times: int, seed: int) -> Killed:
    """Kill a command so many times, at moments from its first write to its end.

    Args:
        folder: that it runs in, with an MLflow store and a repository.
        command: what Python runs.
        times: how often.
        seed: of the moments.

    """
    random = Random(seed)
    span = _run_whole(folder, command)
    killed = Killed()
    for _ in range(times):
        process, _ = _begun(folder, command)
        time.sleep(random.uniform(0, span))
        killed.times += process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        killed.problems += problems(folder)
    _run_whole(folder, command)
    killed.problems += [f"{path} is left" for path in folder.glob("models/*/.publishing-*")]
    return killed


def problems(folder: Path) -> list[str]:
    """What is broken of an MLflow store and a repository."""
    broken = _problems_of_store(folder / "mlflow.db")
    root = folder / "models"
    for model in root.iterdir():
        versions = layout.versions(root, model.name)
        try:
            for version in versions:
                reader.read_version(root, model.name, version)
            known = labels.read(root, model.name).versions
        except (BundleError, OSError) as error:
            broken.append(str(error))
            continue
        broken += [f"{label}: no such version" for label, to in known.items() if to not in versions]
    return broken


def _problems_of_store(file: Path) -> list[str]:
    try:
        with contextlib.closing(sqlite3.connect(file)) as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    return [] if found == ["ok"] else [f"{file.name}: {line}" for line in found]


def _run_whole(folder: Path, command: Sequence[str]) -> float:
    """Run a command to its end; returns the seconds from its first write."""
    process, begun = _begun(folder, command)
    _, err = process.communicate()
    assert process.returncode == 0, err
    return time.monotonic() - begun


def _begun(folder: Path, command: Sequence[str]) -> tuple["subprocess.Popen[str]", float]:
    """A command that has begun to write, or has ended, and when it had."""
    before = _last_write(folder)
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=python_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None and _last_write(folder) == before:
        time.sleep(_POLL)
    return process, time.monotonic()


def _last_write(folder: Path) -> int:
    """When the last of its files was changed, in nanoseconds."""
    times = [0]
    for parent, _, files in os.walk(folder):  # what goes away meanwhile is left out
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                times.append(Path(parent, file).stat().st_mtime_ns)
    return max(times)
