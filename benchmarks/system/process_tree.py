"""CPU time and memory of a process and all processes below it."""

import contextlib

import psutil


class ProcessTree:
    """The processes below ``pid``, and ``pid`` itself."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def processes(self) -> list[psutil.Process]:
        """All that are alive now, the main process first."""
        main = psutil.Process(self._pid)
        return [main, *main.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """User and system time of the whole tree since it was started.

        A process that has exited counts through its parent: Linux adds the time of a child to the
        parent that waits for it (``cutime`` and ``cstime`` of proc(5)). New processes count from
        their start.
        """
        return sum(self.cpu_seconds_by_process().values())

    def cpu_seconds_by_process(self) -> dict[int, float]:
        """The same by process id; each has its own time and that of its exited children."""
        spent = {}
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                spent[process.pid] = float(sum(process.cpu_times()[:4]))
        return spent

    def memory_mib(self) -> float:
        """Proportional set size (PSS) of the tree, in MiB.

        Reading it stops each process for some milliseconds, so it is never read while a load is
        measured.
        """
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_full_info().pss
        return total / 2**20
