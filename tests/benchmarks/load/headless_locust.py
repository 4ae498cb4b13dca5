"""Locust without its pages, for one load."""

import json
import re
import sys
import time
from pathlib import Path

from benchmarks.load.stats import Record
from tests.conftest import ROOT, python_environment, run
from tests.servers.live import Server

LOCUST = (sys.executable, "-m", "locust", "-f", ROOT / "benchmarks/locustfile.py")
SECONDS = ("--warm-up", "0.5", "--measure", "1.5")


def locust(host: str, work: Path, *arguments: str, folder: Path) -> tuple[Record, str]:
    """One run: what it recorded, and what it printed."""
    kept = folder / "record.json"
    command = [*LOCUST, "--headless", "--host", host, "--data", work / "subset.npz", *SECONDS]
    done = run(
        *command, "--record", kept, *arguments, cwd=folder, env=python_environment(), timeout=90
    )
    assert kept.exists(), done.stderr
    return Record.from_json(json.loads(kept.read_text())), done.stdout + done.stderr


def wait_until_it_sends(server: Server) -> None:
    """Until the server has answered more requests than those that a load's beginning takes."""
    wanted = answered(server) + 20
    while answered(server) < wanted:
        time.sleep(0.05)


def answered(server: Server) -> float:
    """Requests for inference, of all clients since it was started."""
    told = server.request("GET", "/metrics").body.decode()
    counted = re.findall(r'^onnxlet_requests_total{.*model="mnist".*} (\S+)$', told, re.MULTILINE)
    return sum(map(float, counted))
