"""Numbers that one worker counts and every worker reads, in files that are mapped into memory.

One file names the series, a line each; another has their numbers, one after the other. To count is
to add to a number in memory, without a lock and without a call of the system.
"""

import json
import logging
import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

log = logging.getLogger("serve")

_MOST = 2**18  # numbers of one worker; they take memory only as far as they are used
_BYTES = 8

Key = tuple[str, ...]
"""Name of a metric, and the values of its labels."""


class SharedCounters:
    """The numbers of one worker, which goes on with those of its predecessor."""

    def __init__(self, folder: Path, name: str) -> None:
        """Open the files of this name, or make them."""
        names = _names_file(folder, name)
        self._places: dict[Key, int] = {}
        self._used = 0
        for key, size in _read_names(names):
            self._places[key] = self._used
            self._used += size
        # It stays open: later there may be no descriptor left.
        self._names = os.open(names, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with _numbers_file(folder, name).open("a+b") as file:
            file.truncate(_MOST * _BYTES)
            self.numbers = memoryview(mmap.mmap(file.fileno(), _MOST * _BYTES)).cast("d")

    def place(self, key: Key, size: int) -> int:
        """Where in ``numbers`` those of a series begin, of which there are ``size``."""
        if key in self._places:
            return self._places[key]
        place = self._used
        if place + 2 * size > _MOST:
            log.error("no room left to count %s", " ".join(key))
            return _MOST - size  # which no series has
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
        except FileNotFoundError:  # they are just being made, or removed
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
        if line.endswith("\n"):  # else it is just being written
            key, size = json.loads(line)
            yield tuple(key), size


def _names_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.names"


def _numbers_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.numbers"
