"""A sample of what models were asked and answered, as JSON lines in a file of limited size.

It has rows, outputs, the time, the model and its version. It has nothing that tells who asked: no
headers, keys, addresses or ids.
"""

import fcntl
import logging
import os
import queue
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from serve.errors import StartError
from serve.models.session import Model
from serve.protocols.interface import Tensors

log = logging.getLogger("serve")

_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
_MAX_ROW_BYTES = 65_536  # larger rows are left out: they would take the time of requests
_MAX_WAITING = 16  # lines; more are dropped, so a slow disk holds nothing up


class RequestLog:
    """Writes one row of a batch, at most so many times a second."""

    def __init__(self, file: Path, rows_per_second: float, max_bytes: int) -> None:
        """Begin without lines; a thread writes them.

        Args:
            file: to append to; all workers share it.
            rows_per_second: of this worker, at most.
            max_bytes: of the file, and of the one before it, which is called ``FILE.1``.

        Raises:
            StartError: the folder of the file does not exist.

        """
        if not file.parent.is_dir():
            raise StartError(f"--request-log {file}: there is no folder {file.parent}")
        self._file = file
        self._pause = 1 / rows_per_second
        self._max_bytes = max_bytes
        self._next = 0.0
        self._lines: queue.Queue[bytes] = queue.Queue(_MAX_WAITING)
        self._has_failed = False
        threading.Thread(target=self._run, name="request log", daemon=True).start()

    def observe(self, model: Model, inputs: Tensors, outputs: Tensors) -> None:
        """Keep the first row of a batch, if it is time to do so."""
        now = time.monotonic()
        if now < self._next:
            return
        if sum(array[:1].nbytes for array in inputs.values()) > _MAX_ROW_BYTES:
            return
        self._next = now + self._pause
        name, version = model.spec.id
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "model": name,
            "version": version,
            "inputs": _first(inputs),
            "outputs": _first(outputs),
        }
        if not self._lines.full():
            self._lines.put_nowait(orjson.dumps(entry, option=_OPTIONS))

    def _run(self) -> None:
        while True:
            line = self._lines.get()
            try:
                self._write(line)
                self._has_failed = False
            except OSError as error:
                if not self._has_failed:
                    log.error("%s: requests are not logged: %s", self._file, error.strerror)
                self._has_failed = True

    def _write(self, line: bytes) -> None:
        """Append a line; a file that is full is renamed, and the next line begins another one."""
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, line)
            # Another worker may have renamed it since it was opened.
            if os.fstat(descriptor).st_size >= self._max_bytes and self._is(descriptor):
                self._file.replace(self._file.with_name(self._file.name + ".1"))
        finally:
            os.close(descriptor)

    def _is(self, descriptor: int) -> bool:
        """Does the path still name the opened file?"""
        try:
            return os.path.samestat(os.fstat(descriptor), self._file.stat())
        except FileNotFoundError:
            return False


def _first(tensors: Tensors) -> dict[str, Any]:
    """The first row of each tensor; orjson writes float32 with few digits, Python would not."""
    rows = {name: array[:1] if array.ndim else array.reshape(1) for name, array in tensors.items()}
    # It does not know texts in arrays, nor every integer of numpy's.
    return {name: (row if row.dtype.kind == "f" else row.tolist())[0] for name, row in rows.items()}
