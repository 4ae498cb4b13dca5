"""CPU time of a process tree while it is under load."""

import threading
import time
from typing import Self

import numpy as np

from benchmarks.system.process_tree import ProcessTree

_INTERVAL = 0.2  # seconds


class CpuMonitor:
    """Samples the CPU time of a process tree for as long as its ``with`` block runs."""

    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree
        self.samples: list[tuple[float, float]] = []
        """Seconds since the epoch, and CPU seconds so far."""

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._sample()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self._sample()

    def _sample(self) -> None:
        self.samples.append((time.time(), self._tree.cpu_seconds()))

    def cpu_seconds(self, began: float, ended: float) -> float:
        """CPU time between two times, interpolated between samples."""
        times, spent = zip(*self.samples, strict=True)
        before, after = np.interp([began, ended], times, spent)
        return float(after - before)
