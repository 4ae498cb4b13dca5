"""What distinguishes one worker from the others."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerSlot:
    """Assigned by the supervisor when it starts a worker."""

    number: int
    """No other living worker has it; a replacement gets the number of its predecessor."""
    cpu: int | None
    """The CPU that the worker is pinned to; None for all."""
    after_death: bool = False
    """Has its predecessor died?"""

    def to_text(self) -> str:
        """As the text of a message."""
        return f"{self.number} {'' if self.cpu is None else self.cpu} {int(self.after_death)}"

    @classmethod
    def from_text(cls, text: str) -> "WorkerSlot":
        """Parse what ``to_text`` returned."""
        number, cpu, after_death = text.split(" ")
        return cls(int(number), int(cpu) if cpu else None, after_death == "1")
