"""Decides when the model repository is scanned, and keeps the result."""

import logging
import selectors
import time
from pathlib import Path
from selectors import BaseSelector

from bundle.errors import BundleError
from serve.versions.repository_scan import FoundModel, RepositoryScan

log = logging.getLogger("serve")

TIMEOUT_SECONDS = 60.0  # of a scan
RETRY_SECONDS = 5.0  # if a scan could not start


class RepositoryWatcher:
    """Scans the repository at an interval and on request."""

    def __init__(self, root: Path, interval: float, selector: BaseSelector) -> None:
        """Scan for the first time after ``interval`` seconds.

        Args:
            root: of the repository.
            interval: seconds between two scans; 0 scans only on request.
            selector: on which the supervisor waits; its data are functions to call.

        """
        self._root = root
        self._interval = interval or float("inf")
        self._selector = selector
        self._scan: RepositoryScan | None = None
        self._due = time.monotonic() + self._interval
        self._retry_at = 0.0
        self._late_at = 0.0
        self._requested = 0
        self._scanning = 0
        self._result: dict[str, FoundModel] | None = None
        self.last_scan = 0
        """Number of the last request whose scan has ended."""
        self.problem = ""
        """Why the last scan failed; empty if it did not."""
        self.recovered = False
        """Has the last scan succeeded after a failed one?"""

    def request_scan(self) -> int:
        """Request a scan that begins after now; returns its number, see ``last_scan``."""
        self._requested += 1
        return self._requested

    def turn(self) -> dict[str, FoundModel] | None:
        """Start a scan if one is due; returns the result of a scan that has ended."""
        now = time.monotonic()
        if self._scan:
            if now > self._late_at:
                self._late_at = float("inf")
                self._report(f"{self._root}: a scan takes longer than {TIMEOUT_SECONDS:g} s")
                self._scan.kill()
        elif now >= self._due or (self._requested > self.last_scan and now >= self._retry_at):
            self._begin()
        found, self._result = self._result, None
        return found

    @property
    def pids(self) -> set[int]:
        """Process id of the scan, if there is one."""
        return {self._scan.pid} if self._scan and self._scan.pid else set()

    def kill(self) -> None:
        """Kill the scan, if there is one."""
        if self._scan:
            self._selector.unregister(self._scan)
            self._scan.kill()
            self._scan.wait()
            self._scan = None

    def _begin(self) -> None:
        now = time.monotonic()
        self._scanning = self._requested
        self._late_at = now + TIMEOUT_SECONDS
        try:
            self._scan = RepositoryScan(self._root)
        except OSError as error:
            self._retry_at = now + RETRY_SECONDS
            self._due = now + max(self._interval, RETRY_SECONDS)
            self._report(f"{self._root}: a scan can't start: {error.strerror}")
            return
        self._selector.register(self._scan, selectors.EVENT_READ, self._read)

    def _read(self) -> None:
        if self._scan is None or not self._scan.read():
            return
        self._selector.unregister(self._scan)
        ended, self._scan = self._scan, None
        self.last_scan = self._scanning
        self._due = time.monotonic() + self._interval
        try:
            self._result = ended.result() or None
            self._report("" if self._result else f"{self._root}: no model here")
        except BundleError as error:
            self._report(str(error))

    def _report(self, problem: str) -> None:
        """Keep a problem, and log it once."""
        self.recovered = bool(self.problem) and not problem
        if problem and problem != self.problem:
            log.error("%s; the loaded models stay in service", problem)
        self.problem = problem
