"""Runs of the model on threads (waitress's dispatcher), for models whose run takes long.

The event loop goes on meanwhile: it reads what comes, answers health, and says no where that is
due. Requests that arrive while a run is under way share the next one.
"""

import logging
import threading
from collections.abc import Callable

from waitress.task import ThreadedTaskDispatcher


class InferenceThreads:
    """Task threads that each do one round of work at a time."""

    def __init__(self, count: int, work: Callable[[], None]) -> None:
        """Start ``count`` threads, which call ``work`` as often as ``wake`` says."""
        # It warns whenever a round waits for a thread, which is the rule here.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._work = work
        self._count = count
        self._lock = threading.Lock()
        self.asked = 0
        """Rounds that wait for a thread."""
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(count)

    def wake(self, waiting: int) -> None:
        """Have threads do a round each: one for all that wait, more if it leaves some over."""
        while self.asked < min(self._count, waiting):
            with self._lock:
                self.asked += 1
            self._dispatcher.add_task(self)

    def service(self) -> None:
        """Do a round; called by a thread."""
        with self._lock:
            self.asked -= 1
        self._work()
