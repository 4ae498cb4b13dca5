"""Threads that run models, for models whose run takes long.

Meanwhile the event loop continues: it reads requests, answers health checks, and refuses requests.
Requests that arrive during a run are batched into the next one.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger("serve")


class InferenceThreads:
    """Threads that each run one batch at a time."""

    def __init__(self, count: int, run_batch: Callable[[], None]) -> None:
        """Start up to ``count`` threads, which call ``run_batch`` when ``wake`` requests it."""
        self._count = count
        self._run_batch = run_batch
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(count, thread_name_prefix="inference")
        self.requested = 0
        """Batches that wait for a thread."""

    def wake(self, waiting: int) -> None:
        """Request a batch for each of so many waiting requests, but one for each thread at most."""
        while self.requested < min(self._count, waiting):
            with self._lock:
                self.requested += 1
            self._executor.submit(self._run)

    def _run(self) -> None:
        with self._lock:
            self.requested -= 1
        try:
            self._run_batch()
        except Exception:
            log.exception("an inference thread failed")
