"""A worker process, as the supervisor sees it."""

import time
from dataclasses import dataclass, field

from serve.processes.child_process import ChildProcess
from serve.processes.messages import ControlChannel, MessageKind
from serve.processes.worker_slot import WorkerSlot


@dataclass(eq=False)
class WorkerProcess(ChildProcess):
    """One worker."""

    control: ControlChannel
    slot: WorkerSlot
    pid: int | None = None
    replaces: "WorkerProcess | None" = None
    """The worker that is drained as soon as this one is ready."""
    started: float = field(default_factory=time.monotonic)
    ready: bool = False
    plan: int = 0
    """Number of the serving plan that it follows."""
    drains_since: float | None = None
    connections: int = 0
    is_silent: bool = False
    """Has it not answered a ping for a second?"""
    reason: str = "a worker ended before it was ready"
    """Why it could not start."""

    def __str__(self) -> str:
        return f"worker {self.pid}" if self.pid else "a worker"

    @property
    def draining(self) -> bool:
        """Does it finish its requests and take no new connections?"""
        return self.drains_since is not None

    def drain(self) -> None:
        """Tell it to finish its requests and to end."""
        self.drains_since = time.monotonic()
        self.control.send(MessageKind.DRAIN)

    def wait(self) -> str:
        """See ``ChildProcess.wait``."""
        self.control.close()
        return super().wait() or "ended with status 0"
