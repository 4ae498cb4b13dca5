"""SIGTERM at random moments, under load: no request that was accepted is lost."""

import random
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.models.plus import Plus
from tests.reliability.load import NOT_SENT, Load
from tests.servers.live import Server

CONNECTIONS = 8


@dataclass
class Stops:
    """What came of some stops."""

    sent: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    """Exit statuses of the servers."""


def stop(models: Path, times: int, seed: int) -> Stops:
    """Start a server, load it, and stop it after up to half a second; so many times.

    Args:
        models: the repository that ``tests.models.swapped`` makes.
        times: how often.
        seed: of the moments.

    """
    moments = random.Random(seed)
    stops = Stops()
    with tempfile.TemporaryDirectory() as name:
        plus = Plus(models, Path(name))
        plus.publish(1)
        for _ in range(times):
            with (
                Server("--models", name, "--workers", "2") as server,
                Load(server.port, CONNECTIONS, pause=0) as kept,
                Load(server.port, CONNECTIONS, pause=0, keep_open=False) as single,
            ):
                kept.goes_on(10)
                single.goes_on(10)
                time.sleep(moments.uniform(0, 0.5))
                stops.statuses.add(server.end(signal.SIGTERM)[0])
            for load in (kept, single):
                stops.sent += load.sent
                stops.wrong += load.wrong
                stops.lost += [what for _, what in load.failed if what != NOT_SENT]
    return stops
