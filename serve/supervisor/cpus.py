"""Which CPUs the workers get: those of this process, limited by the CPU quota of its cgroup."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def placement(workers: int | None, pin: bool, cgroup: Path = CGROUP) -> list[int | None]:
    """The CPU of each worker; None where it is not pinned.

    By default there is a worker for each CPU. A quota of 1.5 CPUs gives one worker: of two, each
    would be stopped for a quarter of the time. With a quota of fewer CPUs than there are, nothing
    is pinned: other containers have the same CPUs, and all would choose the first ones.

    Args:
        workers: how many; None for the default.
        pin: whether to give each worker a CPU of its own.
        cgroup: folder of the cgroup.

    """
    allowed = sorted(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    count = workers or max(1, int(min(quota, len(allowed))))
    if not pin or quota < len(allowed):
        return [None] * count
    return [allowed[index % len(allowed)] for index in range(count)]


def _quota(cgroup: Path) -> float:
    """Number of CPUs that the cgroup (version 2, else 1) may use; infinite without a limit."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return math.inf
    if not quota.isdecimal():  # "max" in version 2, -1 in version 1
        return math.inf
    return int(quota) / int(period)
