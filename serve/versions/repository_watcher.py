"""When the supervisor looks at the model repository, and what it saw."""

import logging
import selectors
import time
from pathlib import Path
from selectors import BaseSelector

from bundle.errors import BundleError
from serve.versions.repository_scan import FoundModel, RepositoryScan

log = logging.getLogger("serve")

TIMEOUT_SECONDS = 60.0  # of a look
RETRY_SECONDS = 5.0  # after which a look is tried again that could not begin


class RepositoryWatcher:
    """Looks every so often, and when asked to."""

    def __init__(self, root: Path, every: float, selector: BaseSelector) -> None:
        """Look for the first time when ``every`` seconds have passed.

        Args:
            root: of the repository.
            every: so many seconds; 0 for only when asked to.
            selector: that the supervisor waits with; its data are functions to call.

        """
        self._root = root
        self._every = every or float("inf")
        self._selector = selector
        self._scan: RepositoryScan | None = None
        self._due = time.monotonic() + self._every
        self._again_at = 0.0
        self._requested = 0
        self._scanned = 0
        self._unread: dict[str, FoundModel] | None = None
        self.last_scan = 0
        """The last look whose result is known, of those that were asked for."""
        self.problem = ""
        """Why the last look told nothing."""
        self.recovered = False
        """Has the last look told something, and the one before it nothing?"""
        self._late_at = 0.0

    def request_scan(self) -> int:
        """Have a look begun after now; returns its number, see ``last_scan``."""
        self._requested += 1
        return self._requested

    def turn(self) -> dict[str, FoundModel] | None:
        """Look where it is time to; returns what there is when a look has ended."""
        now = time.monotonic()
        if self._scan:
            if now > self._late_at:
                self._late_at = float("inf")
                self._tell(f"{self._root}: a look takes longer than {TIMEOUT_SECONDS:g} s")
                self._scan.kill()
        elif now >= self._due or (self._requested > self.last_scan and now >= self._again_at):
            self._begin()
        found, self._unread = self._unread, None
        return found

    @property
    def pids(self) -> set[int]:
        """Of the process that looks."""
        return {self._scan.pid} if self._scan else set()

    def kill(self) -> None:
        """End a look at once, and hear no more of it."""
        if self._scan:
            self._selector.unregister(self._scan)
            self._scan.kill()
            self._scan.forget()
            self._scan = None

    def _begin(self) -> None:
        now = time.monotonic()
        self._scanned = self._requested
        self._late_at = now + TIMEOUT_SECONDS
        try:
            self._scan = RepositoryScan(self._root)
        except OSError as error:
            self._again_at = now + RETRY_SECONDS
            self._due = now + max(self._every, RETRY_SECONDS)
            self._tell(f"{self._root}: nobody can look at it: {error.strerror}")
            return
        self._selector.register(self._scan, selectors.EVENT_READ, self._hear)

    def _hear(self) -> None:
        if self._scan is None or not self._scan.read():
            return
        self._selector.unregister(self._scan)
        ended, self._scan = self._scan, None
        self.last_scan = self._scanned
        self._due = time.monotonic() + self._every
        try:
            self._unread = ended.result() or None
            self._tell("" if self._unread else f"{self._root}: no model here")
        except BundleError as error:
            self._tell(str(error))

    def _tell(self, problem: str) -> None:
        """Remember what is wrong, and log it once."""
        self.recovered = bool(self.problem) and not problem
        if problem and problem != self.problem:
            log.error("%s; what was loaded before goes on", problem)
        self.problem = problem
