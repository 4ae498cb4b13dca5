"""Lines for standard error, which nobody has to read.

A write to a full pipe would hold up the service. So lines that have no room are dropped, and as
soon as there is room a line of its own tells how many.
"""

import fcntl
import logging
import os
import select
import threading
import time
from collections.abc import Callable

_LONGEST = 4096  # bytes; a pipe that polls as writable takes so many at once (pipe(7), PIPE_BUF)
# Between the poll and the write, no other process of this server may fill the pipe.
_PROCESSES = os.memfd_create("onnxlet-log")
_THREADS = threading.Lock()
_TRIES = 5
_PAUSE = 0.0005  # seconds; a write takes a few microseconds


class LogOutput:
    """Lines that wait to be written."""

    def __init__(self, descriptor: int, dropped: Callable[[int], bytes]) -> None:
        """Have none as yet.

        Args:
            descriptor: where they go.
            dropped: makes the line that tells how many were dropped.

        """
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._tell = dropped
        self._lines: list[bytes] = []
        self._dropped = 0

    def add(self, line: bytes) -> None:
        """Have a line written by the next ``flush``; it ends in a line feed."""
        self._lines.append(line if len(line) <= _LONGEST else line[: _LONGEST - 1] + b"\n")

    def flush(self) -> None:
        """Write what has come together, as far as there is room."""
        if not self._lines:
            return
        with _THREADS:
            if not _lock_processes(tries=1 if self._dropped else _TRIES):
                self._drop()
                return
            try:
                self._write()
            finally:
                fcntl.lockf(_PROCESSES, fcntl.LOCK_UN)

    def _write(self) -> None:
        while self._lines:
            if self._poll.poll(0) != [(self._descriptor, select.POLLOUT)]:
                self._drop()
                return
            if self._dropped:
                self._lines.insert(0, self._tell(self._dropped))
                self._dropped = 0
            chunk = self._lines.pop(0)
            while self._lines and len(chunk) + len(self._lines[0]) <= _LONGEST:
                chunk += self._lines.pop(0)
            try:
                os.write(self._descriptor, chunk)
            except OSError:  # whoever read it is gone
                self._dropped += chunk.count(b"\n")

    def _drop(self) -> None:
        self._dropped += len(self._lines)
        self._lines.clear()


def _lock_processes(tries: int) -> bool:
    """Take the lock of all processes, but do not wait for one that is stopped while it has it."""
    for _ in range(tries):
        try:
            fcntl.lockf(_PROCESSES, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


class LogHandler(logging.Handler):
    """What the server logs of itself, on standard error."""

    def __init__(self, descriptor: int = 2) -> None:
        super().__init__()
        self._output = LogOutput(descriptor, lambda count: b"serve: %d lines dropped\n" % count)
        self.setFormatter(logging.Formatter("serve: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, whose traceback has several lines."""
        for line in self.format(record).splitlines():
            self._output.add(line.encode(errors="backslashreplace") + b"\n")
        self._output.flush()
