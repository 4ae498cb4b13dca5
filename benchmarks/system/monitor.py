"""What a server takes while it is under load: CPU time and memory, noted all the time."""

import bisect
import threading
import time
from dataclasses import dataclass
from typing import Self

from benchmarks.system.servers import Server

_PAUSE = 0.2  # seconds between two looks
_MEMORY_EVERY = 5  # looks: to read it halts the process for a moment


@dataclass(frozen=True)
class Sample:
    """One look at the whole process tree."""

    at: float
    """Seconds since the epoch."""
    cpu_seconds: float
    """So far."""
    memory: float
    """Proportional set size, in MiB."""


class Meter:
    """Looks at a server for as long as its ``with`` block runs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        ended, turn, memory = False, 0, 0.0
        while not ended:
            ended = self._stop.wait(_PAUSE)
            at, spent = time.time(), sum(self._server.cpu_seconds().values())
            if ended or turn % _MEMORY_EVERY == 0:
                memory = self._server.memory()
            self.samples.append(Sample(at, spent, memory))
            turn += 1

    def cpu_seconds(self, began: float, ended: float) -> float:
        """CPU time between two times, in a straight line between looks."""
        return self._spent(ended) - self._spent(began)

    def peak(self, began: float, ended: float) -> float:
        """Largest memory seen between two times, in MiB, or the last one before them."""
        seen = [sample.memory for sample in self.samples if began <= sample.at <= ended]
        return max(seen, default=self.samples[-1].memory)

    def _spent(self, at: float) -> float:
        place = bisect.bisect_left([sample.at for sample in self.samples], at)
        if place == 0 or place == len(self.samples):
            return self.samples[min(place, len(self.samples) - 1)].cpu_seconds
        before, after = self.samples[place - 1], self.samples[place]
        part = (at - before.at) / (after.at - before.at)
        return before.cpu_seconds + part * (after.cpu_seconds - before.cpu_seconds)
