"""What another client sees while a server is under load: one request at a time, each timed."""

import contextlib
import http.client
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PAUSE = 0.01  # seconds between two requests


@dataclass
class Watch:
    """Asks on and on, each time over a new connection, while its block is run."""

    url: str
    method: str = "GET"
    body: bytes | None = None
    seen: list[tuple[int, float]] = field(default_factory=list)
    """Status and milliseconds of each answer, from the connection's start; 0 for none."""

    def __enter__(self) -> "Watch":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        target = urlsplit(self.url)
        while not self._stop.wait(PAUSE):
            started = time.monotonic()
            connection = http.client.HTTPConnection(target.netloc, timeout=30)
            status = 0
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request(self.method, target.path, self.body)
                status = connection.getresponse().status
            connection.close()
            self.seen.append((status, (time.monotonic() - started) * 1000))
