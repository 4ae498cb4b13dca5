"""The access log: one JSON object a line on standard error, written once a turn of the loop.

A log that nobody reads never holds up the service: lines that the pipe has no room for are
dropped, and as soon as there is room a line of its own tells how many.
"""

import os
import select
from typing import Any

import orjson

from serve.settings import Logged

SAMPLE = 100  # of the requests that went well, sampled mode logs one in so many
_CHUNK = 4096  # a pipe that polls as writable takes so many bytes at once (pipe(7), PIPE_BUF)


class AccessLog:
    """Lines that wait to be written."""

    def __init__(self, choice: Logged, descriptor: int = 2) -> None:
        self._choice = choice
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._lines: list[bytes] = []
        self._seen = 0
        self._dropped = 0

    def wants(self, status: int) -> bool:
        """Is a request with such an answer to be logged? Ask once for each."""
        if self._choice is Logged.OFF:
            return False
        if status >= 400 or self._choice is Logged.ALL:
            return True
        self._seen += 1
        return self._choice is Logged.SAMPLED and self._seen % SAMPLE == 0

    def add(self, entry: dict[str, Any]) -> None:
        """Have a line written at the turn's end."""
        self._lines.append(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write what has come together."""
        while self._lines:
            if self._poll.poll(0) != [(self._descriptor, select.POLLOUT)]:
                self._dropped += len(self._lines)
                self._lines.clear()
                return
            if self._dropped:
                self._lines.insert(0, orjson.dumps({"lines_dropped": self._dropped}) + b"\n")
                self._dropped = 0
            chunk = self._lines.pop(0)
            while self._lines and len(chunk) + len(self._lines[0]) <= _CHUNK:
                chunk += self._lines.pop(0)
            try:
                os.write(self._descriptor, chunk)
            except OSError:  # whoever read it is gone
                self._dropped += chunk.count(b"\n")
