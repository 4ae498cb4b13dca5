"""A server under everything at once, for long: memory and descriptors stay as they are."""

import math
import shutil
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serve import command_line
from serve.models import catalog
from tests.models.plus import Plus
from tests.reliability.attacker import Attacker
from tests.reliability.load import Load
from tests.servers.live import Server
from tests.servers.processes import eventually, processes

_OTHERS = ("two", "bytes", "flags", "open")
_FEWEST_SWAPS = 20
_SWAPS_A_MINUTE = 6
_PATIENCE = 120.0  # seconds until a version is served; more only if something is wrong


@dataclass(frozen=True)
class Sample:
    """What the processes of a server take at a moment."""

    mib: float
    """Proportional set size of all."""
    descriptors: int


@dataclass(frozen=True)
class Soaked:
    """What came of it."""

    asked: int
    attacks: int
    versions: int
    problems: list[str]
    samples: list[Sample]

    @property
    def grown(self) -> tuple[float, float]:
        """Memory and descriptors in the last quarter of the time, of those in the second."""
        quarter = len(self.samples) // 4
        if not quarter:
            return math.nan, math.nan  # it ended at once
        early, late = self.samples[quarter : 2 * quarter], self.samples[-quarter:]
        memory = _median(late, "mib") / _median(early, "mib")
        return memory, _median(late, "descriptors") / _median(early, "descriptors")


def soak(models: Path, minutes: float, **environment: str) -> Soaked:
    """Ask, attack and swap versions for so long.

    Args:
        models: the folder that ``tests.models.shared`` makes.
        minutes: how long.
        environment: added to that of the server.

    """
    with tempfile.TemporaryDirectory() as name:
        for other in _OTHERS:
            shutil.copytree(models / "other-models" / other, Path(name, other))
        plus = Plus(models / "swapped-models", Path(name))
        plus.publish(1)
        known = catalog.load(command_line.load(["--models", name], {}))
        model_specs = [known.find(one).spec for one in _OTHERS]
        # What a server logs of itself must not be lost behind the requests that attack it.
        options = ("--workers", "2", "--poll-interval", "0.5", "--access-log", "off")
        problems: list[str] = []
        with Server("--models", name, *options, **environment) as server:
            with (
                Load(server.port, path="/predict?model=plus") as load,
                _attacking(Attacker(server.port, model_specs, seed=1)) as attacker,
            ):
                samples = list(_swapping(server, plus, load, minutes, problems))
            _, _, log = server.end(signal.SIGTERM)
        problems += [*load.wrong, *(what for _, what in load.failed), *attacker.wrong]
        if problems:
            problems.append(f"the server said {log[-5000:]}")
        return Soaked(
            load.sent, sum(attacker.statuses.values()), len(load.versions), problems, samples
        )


def _swapping(
    server: Server, plus: Plus, load: Load, minutes: float, problems: list[str]
) -> Iterator[Sample]:
    """Publish versions one after another; ends early with a problem if one is not served."""
    swaps = max(_FEWEST_SWAPS, round(minutes * _SWAPS_A_MINUTE))
    for version in range(2, 2 + swaps):
        plus.publish(version)
        time.sleep(minutes * 60 / swaps)
        if not eventually(lambda version=version: load.versions[version] > 0, deadline=_PATIENCE):
            problems.append(f"version {version} was not served within {_PATIENCE:g} s")
            return
        plus.remove(version - 1)
        yield _sample(server)


@contextmanager
def _attacking(attacker: Attacker) -> Iterator[Attacker]:
    ended = threading.Event()

    def attack() -> None:
        while not ended.wait(0.001):
            attacker.strike()

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        yield attacker
    finally:
        ended.set()
        thread.join()


def _sample(server: Server) -> Sample:
    mib, descriptors = 0.0, 0
    for pid in (server.process.pid, *processes(server)):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except OSError:  # it has ended: one that tried a version
            continue
        mib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return Sample(mib, descriptors)


def _median(samples: list[Sample], what: str) -> float:
    return statistics.median(getattr(sample, what) for sample in samples)
