"""Which CPUs the server gets, and which the load generator: none in common, where there are two."""

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")


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


def halves(topology: Path = TOPOLOGY) -> Placing:
    """The first half of this process's CPUs for the server, the rest for the load.

    CPUs that are threads of one core stay together, as far as there is more than one core.
    """
    usable = sorted(os.sched_getaffinity(0))
    cores: dict[str, list[int]] = {}
    for cpu in usable:
        cores.setdefault(_core(topology, cpu), []).append(cpu)
    units = list(cores.values()) if len(cores) > 1 else [[cpu] for cpu in usable]
    middle = max(1, len(units) // 2)
    server = tuple(itertools.chain(*units[:middle]))
    return Placing(server, tuple(itertools.chain(*units[middle:])) or server)


def _core(topology: Path, cpu: int) -> str:
    """What the threads of one core have in common."""
    try:
        return (topology / f"cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


def everywhere() -> Placing:
    """All CPUs for both."""
    usable = tuple(sorted(os.sched_getaffinity(0)))
    return Placing(usable, usable)


def pinned(command: list[str], cpus: tuple[int, ...]) -> list[str]:
    """The command that runs ``command`` on these CPUs alone."""
    return ["taskset", "--cpu-list", _listed(cpus), *command]


def _listed(cpus: tuple[int, ...]) -> str:
    return ",".join(map(str, cpus))
