"""Locust without its pages, for one load."""

import json
import re
import sys
import time
from pathlib import Path

from benchmarks.load.stats import LoadStats
from tests.conftest import ROOT, python_environment, run
from tests.servers.live import Server

LOCUST = (sys.executable, "-m", "locust", "-f", ROOT / "benchmarks/locustfile.py")
SECONDS = ("--warm-up", "0.5", "--measure", "1.5")


def locust(host: str, repository: Path, *arguments: str, folder: Path) -> tuple[LoadStats, str]:
    """One run: what it recorded, and what it printed."""
    record = folder / "record.json"
    command = [*LOCUST, "--headless", "--host", host, "--models", repository, *SECONDS]
    done = run(
        *command, "--record", record, *arguments, cwd=folder, env=python_environment(), timeout=90
    )
    assert record.exists(), done.stderr
    return LoadStats.from_json(json.loads(record.read_text())), done.stdout + done.stderr


def wait_until_it_sends(server: Server) -> None:
    """Until the server has answered more requests than those before a load begins."""
    wanted = answered(server) + 20
    while answered(server) < wanted:
        time.sleep(0.05)


def answered(server: Server) -> float:
    """Requests for inference, of all clients since it was started."""
    text = server.request("GET", "/metrics").body.decode()
    counted = re.findall(r'^onnxlet_requests_total{.*model="mnist".*} (\S+)$', text, re.MULTILINE)
    return sum(map(float, counted))
