"""Runs Locust with our locustfile, in a process for each CPU that it may use.

One process uses one CPU, and sends about 10,000 small requests per second.
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
from benchmarks.load.stats import LoadStats
from benchmarks.system import affinity, servers

_SPARE_SECONDS = 90  # to start, and to wait for the last answers


@dataclass(frozen=True)
class Load:
    """Options of our locustfile; ``locust_options.py`` explains each."""

    users_class: str
    users: int = 1
    rate: float = 0.0
    """Requests per second of all users together; for ``Open`` only."""
    rows: str = MIXED
    protocol: str = "predict"
    warm_up: float = 1.0
    measure: float = 4.0


@dataclass(frozen=True)
class Target:
    """The model that is loaded, and the repository that has its golden rows."""

    host: str
    model: str
    models: Path


def run(target: Target, load: Load, cpus: tuple[int, ...]) -> LoadStats:
    """Run Locust on these CPUs, and return what it recorded.

    Raises:
        BenchmarkError: it failed; with the last line that it printed.

    """
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "record.json")
        processes = min(len(cpus), load.users)
        command = affinity.pinned(_command(target, load, processes, record), cpus)
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,  # otherwise typed keys change the number of users
                capture_output=True,
                text=True,
                timeout=load.warm_up + load.measure + _SPARE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"Locust did not end: {' '.join(command)}") from None
        faults = [line for line in done.stderr.splitlines() if "no load is sent" in line]
        if faults or not record.exists():
            said = faults or done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise BenchmarkError(f"Locust: {said[-1]}")
        stats = LoadStats.from_json(json.loads(record.read_text()))
        if len(stats.processes) < processes:
            raise BenchmarkError(
                f"only {len(stats.processes)} of Locust's {processes} processes finished"
            )
        return stats


def _command(target: Target, load: Load, processes: int, record: Path) -> list[str]:
    options = {
        "--host": target.host,
        "--model": target.model,
        "--models": str(target.models.resolve()),
        "--users": str(load.users),
        "--spawn-rate": str(load.users),
        "--warm-up": str(load.warm_up),
        "--measure": str(load.measure),
        "--rows": load.rows,
        "--protocol": load.protocol,
        "--record": str(record),
    }
    if processes > 1:
        options["--processes"] = str(processes)
        # Locust's default port may be in use by another master on this machine.
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
