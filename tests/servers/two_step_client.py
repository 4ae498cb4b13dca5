"""A client that sends a request in one step and receives the response in another."""

import http.client
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.live import Response, Server
from tests.servers.processes import eventually, state, workers


@contextmanager
def asleep(server: Server) -> Iterator[None]:
    """Stop the one worker; what is sent meanwhile reaches it all at once."""
    (worker,) = workers(server)
    os.kill(worker, signal.SIGSTOP)
    assert eventually(lambda: state(worker) == "T")
    yield
    os.kill(worker, signal.SIGCONT)


class Client:
    """One connection, whose request and answer are two steps."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def send(self, document: object, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", "/predict", json.dumps(document), named)

    def get(self, path: str) -> Response:
        self._connection.request("GET", path)
        return self.receive()

    def receive(self) -> Response:
        response = self._connection.getresponse()
        return Response(response.status, response.headers, response.read())


def ask(server: Server, document: object, **headers: str) -> Response:
    with Client(server) as client:
        client.send(document, **headers)
        return client.receive()
