"""A client that sends bytes as they are, and reads answers one by one."""

import re
import socket
from pathlib import Path

from tests.servers.live import Server


class Client:
    """A socket, and the answers that come from it one by one."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self._received = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(end)
        return head + end

    def _receive(self) -> None:
        if not (more := self.socket.recv(65536)):
            raise EOFError(self._received)
        self._received += more

    def answer(self, has_body: bool = True) -> tuple[int, str, bytes]:
        """Status, head and body of the next answer.

        Raises:
            EOFError: the connection ends; with what came before its end.

        """
        head = self._until(b"\r\n\r\n").decode()
        length = re.search(r"Content-Length: (\d+)", head)
        size = int(length[1]) if length and has_body else 0
        while len(self._received) < size:
            self._receive()
        body, self._received = self._received[:size], self._received[size:]
        return int(head.split()[1]), head, body

    def ends(self) -> bool:
        """Does nothing come any more but the end?"""
        return not self._received and not self.socket.recv(65536)


def connections(server: Server) -> int:
    """Connections that the server has to clients."""
    port = f":{server.port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    states = [line.split()[3] for line in lines if line.split()[1].endswith(port)]
    return sum(state in ("01", "04", "05", "08") for state in states)


def exchange(server: Server, request: bytes) -> tuple[bytes, bytes]:
    """Send raw bytes; returns the head and the body of what comes until the server ends it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\n"


def one_worker(repository: Path, *more: str) -> Server:
    return Server("--models", str(repository), "--workers", "1", *more)


GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n"
