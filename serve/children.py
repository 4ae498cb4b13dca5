"""Worker processes, as the supervisor sees them."""

import os
import signal
import time
from dataclasses import dataclass, field

from serve.control import Control, Kind


@dataclass(frozen=True)
class Place:
    """What a worker has to itself."""

    slot: int
    """A number that no other living worker of the service has."""
    cpu: int | None
    """The CPU that it is pinned to."""
    after_death: bool = False
    """Did its predecessor die?"""

    def text(self) -> str:
        """For a message to another process."""
        return f"{self.slot} {'' if self.cpu is None else self.cpu} {int(self.after_death)}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """From what ``text`` gave."""
        slot, cpu, after_death = text.split(" ")
        return cls(int(slot), int(cpu) if cpu else None, after_death == "1")


@dataclass(eq=False)
class Child:
    """One worker."""

    control: Control
    place: Place
    pid: int | None = None
    """None until it is forked and has said so."""
    replaces: "Child | None" = None
    """The worker that it stands in for, which drains once this one is ready."""
    started: float = field(default_factory=time.monotonic)
    ready: bool = False
    draining: bool = False
    connections: int = 0
    reason: str = "it ended before it was ready"
    """Why it can't serve."""

    def drain(self) -> None:
        """Have it finish what it has."""
        self.draining = True
        self.control.send(Kind.DRAIN)

    def kill(self) -> None:
        """End it at once."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> str:
        """Wait for its end, which has come or is about to; returns how it ended."""
        self.control.close()
        if self.pid is None:
            return "could not be forked"
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
        return f"ended with status {os.WEXITSTATUS(status)}"
