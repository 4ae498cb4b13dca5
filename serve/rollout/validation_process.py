"""A process that validates a new version, as the supervisor sees it.

A graph that crashes onnxruntime, never ends or uses all memory then costs no worker.
"""

import time

from serve.processes.child_process import ChildProcess
from serve.processes.messages import ControlChannel, MessageKind
from serve.versions.serving_plan import VersionId

TIMEOUT_SECONDS = 120


class ValidationProcess(ChildProcess):
    """One validation."""

    def __init__(self, version_id: VersionId, control: ControlChannel) -> None:
        """Follow the validation.

        Args:
            version_id: the version that is validated.
            control: channel to the process, which the forkserver was asked for.

        """
        self.version_id = version_id
        self.control = control
        self._verdict: str | None = None
        self._late_at = time.monotonic() + TIMEOUT_SECONDS

    def receive(self) -> bool:
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
        """Kill it if it takes too long."""
        if self._verdict is None and time.monotonic() > self._late_at:
            self._verdict = f"{self._label}: not loaded and tested within {TIMEOUT_SECONDS} s"
            self.kill()

    def verdict(self) -> str | None:
        """Why the version can't be served, empty if it can; None if it was not validated."""
        self.control.close()
        if self.pid:
            how = self.wait() or "ended with status 0"
            if self._verdict is None:
                self._verdict = f"{self._label}: the process that validated it {how}"
        return self._verdict

    @property
    def _label(self) -> str:
        return f"{self.version_id.name}/{self.version_id.version}"
