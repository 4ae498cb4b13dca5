"""The access log: one JSON object a line on standard error, written once a turn of the loop."""

from typing import Any

import orjson

from serve.log_output import LogOutput
from serve.settings import AccessLogMode

SAMPLE = 100  # of the requests that went well, sampled mode logs one in so many


class AccessLog:
    """Lines that wait to be written; see ``log_output`` for what becomes of them."""

    def __init__(self, choice: AccessLogMode, descriptor: int = 2) -> None:
        self._choice = choice
        self._output = LogOutput(descriptor, _dropped)
        self._seen = 0

    def wants(self, status: int) -> bool:
        """Is a request with such an answer to be logged? Ask once for each."""
        if self._choice is AccessLogMode.OFF:
            return False
        if status >= 400 or self._choice is AccessLogMode.ALL:
            return True
        self._seen += 1
        return self._choice is AccessLogMode.SAMPLED and self._seen % SAMPLE == 0

    def add(self, entry: dict[str, Any]) -> None:
        """Have a line written at the turn's end."""
        self._output.add(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write what has come together."""
        self._output.flush()


def _dropped(count: int) -> bytes:
    return b'{"lines_dropped":%d}\n' % count
