"""A server that is attacked, and how it fares."""

import json
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from serve import command_line
from serve.models import catalog
from tests.reliability.attacker import Attacker
from tests.servers.live import Server
from tests.servers.processes import workers

_MODELS = ("two", "bytes", "flags", "open")
_EVERY = 100  # attacks, a proper request is sent


@dataclass(frozen=True)
class Outcome:
    """What came of an attack."""

    statuses: Counter[int]
    wrong: list[str]
    """Answers that tell of a fault of the server's, and proper requests not answered rightly."""
    workers_lost: int
    peak_mib: float
    """The most memory that the worker had at any time."""
    logged: list[str]
    """What the server said of itself."""


def attack(models: Path, count: int, seed: int) -> Outcome:
    """Attack a server of one worker.

    Args:
        models: the repository that ``tests.models.other`` makes.
        count: how many connections.
        seed: of what is sent.

    """
    with tempfile.TemporaryDirectory() as folder:
        for name in _MODELS:
            shutil.copytree(models / name, Path(folder, name))
        known = catalog.load(command_line.load(["--models", folder], {}))
        model_specs = [known.find(name).spec for name in _MODELS]
        with Server("--models", folder, "--workers", "1") as server:
            before = workers(server)
            attacker = Attacker(server.port, model_specs, seed)
            for number in range(count):
                attacker.strike()
                if number % _EVERY == 0:
                    attacker.wrong += _unlike_expected(server)
            lost = len({*before} - {*workers(server)})
            peak = 0.0 if lost else _peak_mib(before[0])
            _, _, log = server.end(15)
    own = [line for line in log.splitlines() if not line.startswith("{")]
    return Outcome(attacker.statuses, attacker.wrong, lost, peak, own)


def _unlike_expected(server: Server) -> list[str]:
    """What is wrong with the answer to a proper request."""
    rows = [{"x": [1, 2, 3], "n": 4}, {"x": [5, 6, 7], "n": -1}]
    answer = server.request("POST", "/v1/models/two:predict", json.dumps({"instances": rows}))
    expected = [{"sum": [5, 6, 7], "twice": 8}, {"sum": [4, 5, 6], "twice": -2}]
    right = answer.status == 200 and answer.json() == {"predictions": expected}
    return [] if right else [f"a proper request got {answer.status} {answer.body!r}"]


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
