"""Writes log lines to standard error without ever blocking.

A write to a full pipe would block the server. Lines that do not fit are therefore dropped, and a
later line says how many.
"""

import fcntl
import logging
import os
import select
import threading
import time
from collections.abc import Callable

_MAX_BYTES = 4096  # bytes; a writable pipe accepts so many at once (PIPE_BUF, pipe(7))
# Locked between poll and write, so that no other process of this server fills the pipe.
_PROCESS_LOCK = os.memfd_create("onnxlet-log")
_THREAD_LOCK = threading.Lock()
_PAUSE = 0.0005  # seconds; a write takes microseconds
_TRIES = 5  # for a line about a request, which the event loop writes
_TRIES_RECORD = 200  # for a log record: there are few, and they matter more


class LogOutput:
    """Collects lines, and writes them to a file descriptor."""

    def __init__(
        self, descriptor: int, dropped: Callable[[int], bytes], tries: int = _TRIES
    ) -> None:
        """Begin without lines.

        Args:
            descriptor: to write to.
            dropped: makes the line that says how many lines were dropped.
            tries: how often to try for the lock before lines are dropped.

        """
        self._descriptor = descriptor
        self._tries = tries
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._tell = dropped
        self._lines: list[bytes] = []
        self._dropped = 0

    def add(self, line: bytes) -> None:
        """Add a line, with its line feed, for the next ``flush``."""
        self._lines.append(line if len(line) <= _MAX_BYTES else line[: _MAX_BYTES - 1] + b"\n")

    def flush(self) -> None:
        """Write the collected lines, and drop those that do not fit."""
        if not self._lines:
            return
        with _THREAD_LOCK:
            if not _lock_processes(tries=1 if self._dropped else self._tries):
                self._drop()
                return
            try:
                self._write()
            finally:
                fcntl.lockf(_PROCESS_LOCK, fcntl.LOCK_UN)

    def _write(self) -> None:
        while self._lines:
            if self._poll.poll(0) != [(self._descriptor, select.POLLOUT)]:
                self._drop()
                return
            if self._dropped:
                self._lines.insert(0, self._tell(self._dropped))
                self._dropped = 0
            chunk = self._lines.pop(0)
            while self._lines and len(chunk) + len(self._lines[0]) <= _MAX_BYTES:
                chunk += self._lines.pop(0)
            try:
                os.write(self._descriptor, chunk)
            except OSError:  # the reader is gone
                self._dropped += chunk.count(b"\n")

    def _drop(self) -> None:
        self._dropped += len(self._lines)
        self._lines.clear()


def _lock_processes(tries: int) -> bool:
    """Lock out other processes; give up if one of them is stopped while it has the lock."""
    for _ in range(tries):
        try:
            fcntl.lockf(_PROCESS_LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False


class LogHandler(logging.Handler):
    """Writes log records to standard error."""

    def __init__(self, descriptor: int = 2) -> None:
        super().__init__()
        self._output = LogOutput(
            descriptor, lambda count: b"serve: %d lines dropped\n" % count, _TRIES_RECORD
        )
        self.setFormatter(logging.Formatter("serve: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; with a traceback it has several lines."""
        for line in self.format(record).splitlines():
            self._output.add(line.encode(errors="backslashreplace") + b"\n")
        self._output.flush()
