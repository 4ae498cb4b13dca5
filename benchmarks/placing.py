"""Which CPUs the server gets, and which the load generator: none in common, where there are two."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Placing:
    """Numbers of CPUs, for each side."""

    server: tuple[int, ...]
    generator: tuple[int, ...]

    @property
    def apart(self) -> bool:
        """Do they share none?"""
        return not set(self.server) & set(self.generator)

    def __str__(self) -> str:
        return f"server on CPUs {_listed(self.server)}, load on CPUs {_listed(self.generator)}"


def halves() -> Placing:
    """The first half of this process's CPUs for the server, the rest for the load."""
    usable = sorted(os.sched_getaffinity(0))
    middle = max(1, len(usable) // 2)
    return Placing(tuple(usable[:middle]), tuple(usable[middle:] or usable))


def everywhere() -> Placing:
    """All CPUs for both."""
    usable = tuple(sorted(os.sched_getaffinity(0)))
    return Placing(usable, usable)


def pinned(command: list[str], cpus: tuple[int, ...]) -> list[str]:
    """The command that runs ``command`` on these CPUs alone."""
    return ["taskset", "--cpu-list", _listed(cpus), *command]


def _listed(cpus: tuple[int, ...]) -> str:
    return ",".join(map(str, cpus))
