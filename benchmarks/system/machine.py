"""Date, machine and versions, which belong to every figure."""

import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks import ROOT, SERVING
from tracking import git_commit


def circumstances() -> str:
    """Date, CPUs and Python, in one line."""
    return f"{_date()}, {_cpus()}, Python {platform.python_version()}"


def description(host: str | None = None) -> dict[str, str]:
    """What a report says of the machine and the programs.

    Args:
        host: address of a server that was not started here, if any.

    """
    tags = git_commit.tags()
    commit = tags.get("mlflow.source.git.commit", "unknown")[:12]
    return {
        "date": _date(),
        "machine": f"{_cpus()}, {psutil.virtual_memory().total / 2**30:.0f} GiB of memory",
        "system": f"{platform.system()} {platform.release()}",
        "network": f"to {host}" if host else "loopback: client and server on one machine",
        "commit": commit + (", with changes" if tags.get("git_dirty") == "true" else ""),
        "server": "not started here" if host else _server(),
        "load generator": f"Locust {importlib.metadata.version('locust')}, Python"
        f" {platform.python_version()}",
    }


def _server() -> str:
    done = subprocess.run(
        [str(SERVING), "-m", "serve", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return ", ".join(done.stdout.split("\n")).strip(", ")


def _date() -> str:
    return datetime.now(UTC).date().isoformat()


def _cpus() -> str:
    described = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(": ")[2] for line in described if line.startswith("model name")]
    return f"{os.cpu_count()} x {names[0] if names else platform.machine()}"
