"""Which CPUs this process can use: its affinity mask, limited by the CPU quota of its cgroup."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = CGROUP) -> list[int]:
    """Numbers of the CPUs to use, one for each worker; at least one.

    A quota of 1.5 CPUs gives one CPU. With two workers, each would be stopped for a quarter of the
    time.
    """
    allowed = sorted(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return allowed if quota is None else allowed[: max(1, int(quota))]


def _quota(cgroup: Path) -> float | None:
    """Number of CPUs that the cgroup (version 2, else 1) may use; None for no limit."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not quota.isdecimal():  # "max" in version 2, -1 in version 1
        return None
    return int(quota) / int(period)
