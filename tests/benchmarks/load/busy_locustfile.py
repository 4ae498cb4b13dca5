"""Our locustfile on a machine that is busy for half a second once all users are there."""

import time
from typing import Any

from locust import events

from benchmarks.locustfile import Predict1

__all__ = ["Predict1"]


@events.spawning_complete.add_listener
def be_busy(**_: Any) -> None:
    until = time.monotonic() + 0.5
    while time.monotonic() < until:  # a sleep would let others run
        pass
