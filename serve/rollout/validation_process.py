"""A version tried by a process of its own, as the supervisor sees it.

A graph that makes onnxruntime crash, hang or take all memory so costs no worker.
"""

import contextlib
import os
import signal
import time

from serve.processes import worker_process
from serve.processes.messages import ControlChannel, MessageKind
from serve.versions.serving_plan import VersionId

TIMEOUT_SECONDS = 120


class ValidationProcess:
    """One trial, under way."""

    def __init__(self, version_id: VersionId, control: ControlChannel) -> None:
        """Follow it.

        Args:
            version_id: the version to validate.
            control: to the process, which is asked for already.

        """
        self.version_id = version_id
        self.control = control
        self.pid: int | None = None
        self._verdict: str | None = None
        self._late_at = time.monotonic() + TIMEOUT_SECONDS

    def hear(self) -> bool:
        """Take the next message; True at the end."""
        message = self.control.receive()
        if message is None:
            return True
        kind, text, _ = message
        if kind is MessageKind.FORKED:
            self.pid = int(text)
            if self._verdict is not None:  # it is late already
                self.kill()
        else:
            self._verdict = text if kind is MessageKind.FAILED else ""
        return False

    def check_time(self) -> None:
        """End it where it takes too long."""
        if self._verdict is None and time.monotonic() > self._late_at:
            self._verdict = f"{self._label}: not loaded and tested within {TIMEOUT_SECONDS} s"
            self.kill()

    def verdict(self) -> str | None:
        """Why the version can't be served, empty where it can; None where it was not tried."""
        self.control.close()
        if self.pid:
            how = worker_process.describe(worker_process.reap(self.pid))
            if self._verdict is None:
                self._verdict = f"{self._label}: the process that tried it {how}"
        return self._verdict

    @property
    def _label(self) -> str:
        return f"{self.version_id.name}/{self.version_id.version}"

    def kill(self) -> None:
        """End it at once."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
