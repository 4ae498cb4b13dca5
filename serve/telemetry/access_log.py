"""The access log: one JSON object per line on standard error."""

from typing import Any

import orjson

from serve.log_output import LogOutput
from serve.settings import AccessLogMode

SAMPLE = 100  # sampled mode logs one in so many successful requests


class AccessLog:
    """Collects lines, which are written once per turn of the event loop; see ``log_output``."""

    def __init__(self, choice: AccessLogMode, descriptor: int = 2) -> None:
        self._choice = choice
        self._output = LogOutput(descriptor, _dropped)
        self._seen = 0

    def wants(self, status: int) -> bool:
        """Must a request with this status be logged? Called once for each request."""
        if self._choice is AccessLogMode.OFF:
            return False
        if status >= 400 or self._choice is AccessLogMode.ALL:
            return True
        self._seen += 1
        return self._choice is AccessLogMode.SAMPLED and self._seen % SAMPLE == 0

    def add(self, entry: dict[str, Any]) -> None:
        """Add a line."""
        self._output.add(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write the collected lines."""
        self._output.flush()


def _dropped(count: int) -> bytes:
    return b'{"lines_dropped":%d}\n' % count
