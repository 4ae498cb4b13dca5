"""What a worker has to itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerSlot:
    """Told by the supervisor to the forkserver, and kept by the worker."""

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
    def read(cls, text: str) -> "WorkerSlot":
        """From what ``text`` gave."""
        slot, cpu, after_death = text.split(" ")
        return cls(int(slot), int(cpu) if cpu else None, after_death == "1")
