"""Which CPUs the server gets and which the load generator; none in common where there are two."""

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Affinity:
    """Numbers of CPUs, for each side."""

    server: tuple[int, ...]
    generator: tuple[int, ...]

    @property
    def separate(self) -> bool:
        """Whether they have no CPU in common."""
        return not set(self.server) & set(self.generator)

    @property
    def workers(self) -> int:
        """Workers of a server: one for each of its CPUs."""
        return len(self.server)

    def __str__(self) -> str:
        shared = "" if self.separate else " (shared, so that each slows down the other)"
        return (
            f"{self.workers} worker{'s' * (self.workers > 1)}; server on CPUs"
            f" {_list(self.server)}, load on CPUs {_list(self.generator)}{shared}"
        )


def halves(topology: Path = TOPOLOGY) -> Affinity:
    """The first half of this process's CPUs for the server, the rest for the load.

    Hardware threads of one core stay together if there is more than one core.
    """
    usable = sorted(os.sched_getaffinity(0))
    cores: dict[str, list[int]] = {}
    for cpu in usable:
        cores.setdefault(_core(topology, cpu), []).append(cpu)
    units = list(cores.values()) if len(cores) > 1 else [[cpu] for cpu in usable]
    middle = max(1, len(units) // 2)
    server = tuple(itertools.chain(*units[:middle]))
    return Affinity(server, tuple(itertools.chain(*units[middle:])) or server)


def _core(topology: Path, cpu: int) -> str:
    """What the hardware threads of one core have in common."""
    try:
        return (topology / f"cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


def all_cpus() -> Affinity:
    """All CPUs for both."""
    usable = tuple(sorted(os.sched_getaffinity(0)))
    return Affinity(usable, usable)


def pinned(command: list[str], cpus: tuple[int, ...]) -> list[str]:
    """The command that runs ``command`` on these CPUs only; unchanged if there are none."""
    return ["taskset", "--cpu-list", _list(cpus), *command] if cpus else command


def _list(cpus: tuple[int, ...]) -> str:
    return ",".join(map(str, cpus))
