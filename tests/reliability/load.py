"""Clients that ask steadily, and what became of each request."""

import http.client
import json
import threading
import time
from collections import Counter
from typing import Any

from tests.servers.processes import eventually

NOT_SENT = "nobody listened"
PATIENCE = 20.0  # seconds; an answer that takes longer counts as none


class Load:
    """Connections that ask a ``Plus`` model on and on, while the block lasts.

    A connection that the server closes after an answer is opened again, as any client does it.
    """

    def __init__(
        self,
        port: int,
        connections: int = 4,
        pause: float = 0.002,
        keep_open: bool = True,
        path: str = "/predict",
        host: str = "127.0.0.1",
    ) -> None:
        """Ask on so many connections at a time.

        Args:
            port: of the server.
            connections: how many.
            pause: seconds between two requests of one.
            keep_open: are connections used for more than one request?
            path: of the model.
            host: of the server.

        """
        self.sent = 0
        self.versions: Counter[int] = Counter()
        """Right answers, by the version that they name."""
        self.wrong: list[str] = []
        """Answers that are not those of the version they name, or of one that was replaced."""
        self.failed: list[tuple[float, str]] = []
        """When a request was known to have no answer, or another than 200, and what it was."""
        self.newest = 0
        """No older version may answer what is sent from now on."""
        self._address = (host, port)
        self._pause = pause
        self._keep_open = keep_open
        self._path = path
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(connections)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def goes_on(self, more: int = 100) -> None:
        """Wait until so many more requests have right answers."""
        enough = self.right + more
        assert eventually(lambda: self.right >= enough), self.failed[-3:]

    @property
    def right(self) -> int:
        """Requests with a right answer."""
        return sum(self.versions.copy().values())

    def _ask(self) -> None:
        while not self._stop.is_set():
            connection = http.client.HTTPConnection(*self._address, timeout=PATIENCE)
            try:
                connection.connect()
                while not self._stop.wait(self._pause) and self._request(connection):
                    pass
            except ConnectionRefusedError:  # nobody listens, and nothing was sent
                self._fail(NOT_SENT)
                self._stop.wait(0.02)
            except (OSError, http.client.HTTPException) as error:
                self._fail(repr(error))
            finally:
                connection.close()

    def _request(self, connection: http.client.HTTPConnection) -> bool:
        """Ask once; returns whether the connection stays open."""
        with self._lock:
            self.sent += 1
            number, newest = self.sent % 1000, self.newest
        body = json.dumps({"images": [[number, 0]]})
        connection.request("POST", self._path, body)
        response = connection.getresponse()
        answer = response.read()
        if response.status == 200:
            self._check(number, newest, json.loads(answer))
        else:
            self._fail(f"{response.status} {answer!r}")
        return self._keep_open and not response.will_close

    def _check(self, number: int, newest: int, answer: Any) -> None:
        version = answer["version"]
        with self._lock:
            if answer["probabilities"] != [[number + version, version]]:
                self.wrong.append(f"{number} and 0 gave {answer}")
            elif version < newest:
                self.wrong.append(f"version {version} answered after {newest} had replaced it")
            else:
                self.versions[version] += 1

    def _fail(self, what: str) -> None:
        with self._lock:
            self.failed.append((time.monotonic(), what))
