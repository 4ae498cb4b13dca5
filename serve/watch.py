"""When the supervisor looks at the model repository, and what it saw."""

import logging
import selectors
import time
from pathlib import Path
from selectors import BaseSelector

from bundle.errors import BundleError
from serve.scan import Found, Scan

log = logging.getLogger("serve")


class Watch:
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
        self._scan: Scan | None = None
        self._due = time.monotonic() + self._every
        self._asked = 0
        self._scanned = 0
        self._unread: dict[str, Found] | None = None
        self.seen = 0
        """The last look whose result is known, of those that were asked for."""
        self.problem = ""
        """Why the last look told nothing."""

    def ask(self) -> int:
        """Have a look begun after now; returns its number, see ``seen``."""
        self._asked += 1
        return self._asked

    def turn(self) -> dict[str, Found] | None:
        """Look where it is time to; returns what there is when a look has ended."""
        wanted = self._asked > self.seen or time.monotonic() >= self._due
        if wanted and not self._scan:
            self._scanned = self._asked
            self._scan = Scan(self._root)
            self._selector.register(self._scan, selectors.EVENT_READ, self._hear)
        found, self._unread = self._unread, None
        return found

    def _hear(self) -> None:
        if self._scan is None or not self._scan.read():
            return
        self._selector.unregister(self._scan)
        ended, self._scan = self._scan, None
        self.seen = self._scanned
        self._due = time.monotonic() + self._every
        problem = ""
        try:
            self._unread = ended.result() or None
            if not self._unread:
                problem = f"{self._root}: no model here"
        except BundleError as error:
            problem = str(error)
        if problem and problem != self.problem:
            log.error("%s; what was loaded before goes on", problem)
        self.problem = problem
