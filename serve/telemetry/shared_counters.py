"""Numbers that one worker counts and all workers read, in files that are mapped into memory.

One file contains the names of the series, one per line. Another file contains their numbers. To
count is to add to a number in memory, without a lock and without a system call.
"""

import json
import logging
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

log = logging.getLogger("serve")

_MAX_NUMBERS = 2**20  # numbers of one worker; only used ones take memory
_BYTES = 8

Key = tuple[str, ...]
"""Name of a metric, and the values of its labels."""


class SharedCounters:
    """The numbers of one worker, which continues with those of its predecessor."""

    def __init__(self, folder: Path, name: str) -> None:
        """Open the files of this name, or create them."""
        names = _names_file(folder, name)
        self._places: dict[Key, int] = {}
        self._used = 0
        for key, size in _read_names(names):
            self._places[key] = self._used
            self._used += size
        # It stays open, because later there may be no descriptor left.
        self._names = os.open(names, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with _numbers_file(folder, name).open("a+b") as file:
            file.truncate(_MAX_NUMBERS * _BYTES)
            self.numbers = memoryview(mmap.mmap(file.fileno(), _MAX_NUMBERS * _BYTES)).cast("d")

    def place(self, key: Key, size: int) -> int:
        """Index in ``numbers`` of the first of the ``size`` numbers of a series."""
        if key in self._places:
            return self._places[key]
        place = self._used
        if place + 2 * size > _MAX_NUMBERS:
            log.error("no room left to count %s", " ".join(key))
            self._places[key] = _MAX_NUMBERS - size  # no other series uses these numbers
            return self._places[key]
        self._places[key] = place
        self._used += size
        os.write(self._names, json.dumps([key, size]).encode() + b"\n")
        return place


def read(folder: Path) -> Iterator[tuple[Key, Sequence[float]]]:
    """Each series of each worker, with its numbers."""
    for names in folder.glob("*.names"):
        series = list(_read_names(names))
        count = sum(size for _, size in series)
        try:
            numbers = np.fromfile(_numbers_file(folder, names.stem), np.float64, count).tolist()
        except FileNotFoundError:  # they are just being created or removed
            continue
        start = 0
        for key, size in series:
            yield key, numbers[start : start + size]
            start += size


def _read_names(file: Path) -> Iterator[tuple[Key, int]]:
    try:
        lines = file.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return
    for line in lines:
        if line.endswith("\n"):  # else it is being written
            key, size = json.loads(line)
            yield tuple(key), size


def _names_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.names"


def _numbers_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.numbers"
