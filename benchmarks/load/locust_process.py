"""Runs Locust with our locustfile, for one load, in as many processes as it has CPUs and users.

One process sends with one CPU, about 10,000 small requests a second.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.load.prepared_request import MIXED
from benchmarks.load.stats import Record
from benchmarks.system import affinity, servers

_SPARE_SECONDS = 90  # for its start, and for the last answers


@dataclass(frozen=True)
class Load:
    """What is asked of Locust; see ``--help`` of the locustfile for each."""

    users_class: str
    users: int = 1
    rate: float = 0.0
    """Requests a second of all users together; for ``Open`` alone."""
    rows: str = MIXED
    dialect: str = "predict"
    warm_up: float = 1.0
    measure: float = 4.0


@dataclass(frozen=True)
class Target:
    """Who is asked."""

    host: str
    model: str
    data: Path


def run(target: Target, load: Load, cpus: tuple[int, ...]) -> Record:
    """What Locust kept, run on these CPUs.

    Raises:
        BenchmarkError: it did not get to the end; with its last words.

    """
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "record.json")
        processes = min(len(cpus), load.users)
        command = affinity.pinned(_command(target, load, processes, kept), cpus)
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,  # else keys that are typed change the number of users
                capture_output=True,
                text=True,
                timeout=load.warm_up + load.measure + _SPARE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"Locust did not end: {' '.join(command)}") from None
        faults = [line for line in done.stderr.splitlines() if "no load is sent" in line]
        if faults or not kept.exists():
            said = faults or done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise BenchmarkError(f"Locust: {said[-1]}")
        record = Record.from_json(json.loads(kept.read_text()))
        if len(record.processes) < processes:
            raise BenchmarkError(
                f"{len(record.processes)} of Locust's {processes} processes came to an end"
            )
        return record


def _command(target: Target, load: Load, processes: int, kept: Path) -> list[str]:
    options = {
        "--host": target.host,
        "--model": target.model,
        "--data": str(target.data.resolve()),
        "--users": str(load.users),
        "--spawn-rate": str(load.users),
        "--warm-up": str(load.warm_up),
        "--measure": str(load.measure),
        "--rows": load.rows,
        "--dialect": load.dialect,
        "--record": str(kept),
    }
    if processes > 1:
        options["--processes"] = str(processes)
        # Locust's own choice would meet that of another master on this machine.
        options["--master-bind-port"] = options["--master-port"] = str(servers.free_port())
    if load.rate:
        options["--rate"] = str(load.rate / load.users)
    file = str(ROOT / "benchmarks/locustfile.py")
    words = [word for pair in options.items() for word in pair]
    return [
        sys.executable,
        "-m",
        "locust",
        "-f",
        file,
        "--headless",
        "--only-summary",
        *words,
        load.users_class,
    ]
