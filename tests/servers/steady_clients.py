"""Clients that send requests all the time, and notice each that fails."""

import http.client
import json
import threading
import time

from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.processes import DEADLINE


class Clients:
    """Kept-alive connections that ask on and on, each answer checked against its digit.

    A connection that the server has closed after an answer is opened again, as any client does.
    ``failures`` are requests that were sent and got no answer, or a wrong one.
    """

    def __init__(self, server: Server, digits: Digits, count: int = 4) -> None:
        self._port = server.port
        self._bodies = [json.dumps({"image": row.tolist()}) for row in digits.images[:20]]
        self._expected = [server.request("POST", "/predict", body).body for body in self._bodies]
        self.answered = 0
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._connected = [threading.Event() for _ in range(count)]
        self._threads = [threading.Thread(target=self._ask, args=[at]) for at in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        # A client that connects later would go unnoticed where the connections are counted.
        assert all(connected.wait(DEADLINE) for connected in self._connected)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, at: int) -> None:
        turn = 0
        while not self._stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE)
            try:
                connection.connect()
            except OSError:  # nobody listens: nothing was accepted, so nothing is lost
                time.sleep(0.01)
                continue
            try:
                while not self._stop.is_set():
                    turn = (turn + 1) % len(self._bodies)
                    connection.request("POST", "/predict", self._bodies[turn])
                    response = connection.getresponse()
                    if response.read() != self._expected[turn]:
                        self.failures.append(f"wrong answer, status {response.status}")
                    self.answered += 1
                    self._connected[at].set()
                    if response.will_close:
                        break
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            finally:
                connection.close()
