"""Which CPUs this process really has: its affinity mask, cut down to the cgroup's quota."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = CGROUP) -> list[int]:
    """Numbers of the CPUs to work on, one worker each; at least one.

    A quota of 1.5 CPUs gives one: two workers would each be stopped a quarter of the time.
    """
    allowed = sorted(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return allowed if quota is None else allowed[: max(1, int(quota))]


def _quota(cgroup: Path) -> float | None:
    """CPUs that the cgroup (version 2, else 1) may use at a time, or None for no limit."""
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
