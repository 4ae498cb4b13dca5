"""A child process of the supervisor: kill it, wait for its end, and say how it ended."""

import contextlib
import os
import signal
from collections.abc import Collection


class ChildProcess:
    """A process that this one has forked, or has adopted."""

    pid: int | None = None
    """None until the process has sent it."""

    def kill(self) -> None:
        """Kill it, if it still runs."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> str:
        """Wait for its end, which has come or is near; returns how it ended, empty for status 0."""
        if not self.pid:
            return "could not be forked"
        try:
            status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:  # it ended before its pid was known; see ``reap_orphans``
            status = 0
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}" if status else ""


def reap_orphans(known: Collection[int]) -> None:
    """Reap the children that have ended, except the ``known`` ones: orphans that were adopted."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        while (ended := os.waitid(os.P_ALL, 0, options)) and ended.si_pid not in known:
            os.waitpid(ended.si_pid, 0)
    except ChildProcessError:  # there are no children
        return
