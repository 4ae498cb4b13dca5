"""What another client sees while a server is under load: one request at a time, each timed."""

import contextlib
import http.client
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_INTERVAL = 0.01  # seconds between two requests
_TIMEOUT = 30.0


@dataclass
class Prober:
    """Sends a request again and again, each over a new connection, while its block runs."""

    url: str
    method: str = "GET"
    body: bytes | None = None
    answers: list[tuple[int, float]] = field(default_factory=list)
    """Status and milliseconds of each, from when the connection is opened; 0 for no answer."""

    def __enter__(self) -> "Prober":
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        target = urlsplit(self.url)
        while True:
            started = time.monotonic()
            connection = http.client.HTTPConnection(target.netloc, timeout=_TIMEOUT)
            status = 0
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request(self.method, target.path, self.body)
                status = connection.getresponse().status
            connection.close()
            self.answers.append((status, (time.monotonic() - started) * 1000))
            if self._stop.wait(_INTERVAL):  # after a request, so that there is always one
                return
