"""Versions come and go under load, and every answer is checked against the version it names."""

import re
import socket
import threading
import time
from collections import Counter
from pathlib import Path

from tests.models.plus import Plus
from tests.servers.live import Server
from tests.servers.plus_server import answers, told
from tests.servers.processes import DEADLINE, eventually

_LENGTH = re.compile(rb"Content-Length: (\d+)")
PATHS = ("/predict", "/predict?version=stable")
_VERSION = re.compile(rb"X-Model-Version: (\d+)")


class Load:
    """Four connections that ask on and on: two for the newest version, two for a label's.

    ``wrong`` are answers that are not those of the version that they name, or refusals.
    """

    def __init__(self, server: Server) -> None:
        self._port = server.port
        self.answered: Counter[tuple[str, int]] = Counter()
        """Since it was cleared, by path and version."""
        self.wrong: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(path,)) for path in PATHS * 2]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, path: str) -> None:
        try:
            self._ask_on_and_on(path)
        except OSError as error:
            self.wrong.append(f"{path}: {error!r}")

    def _ask_on_and_on(self, path: str) -> None:
        with socket.create_connection(("127.0.0.1", self._port), DEADLINE) as connection:
            number = 0
            while not self._stop.is_set():
                number = (number + 1) % 1000
                body = b'{"images": [[%d, 0]]}' % number
                head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)
                self._check(path, number, *_answer(connection))

    def _check(self, path: str, number: int, head: bytes, body: bytes) -> None:
        found = _VERSION.search(head)
        version = int(found[1]) if found else 0
        expected = b'{"predictions":[0],"probabilities":[[%d.0,%d.0]],"model":"plus","version":%d}'
        if body == expected % (number + version, version, version):
            self.answered[path, version] += 1
        else:
            self.wrong.append(f"{path} with {number}: {head!r} {body!r}")


def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of the next answer."""
    data = b""
    while not (found := _LENGTH.search(data)) or b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    while len(body) < int(found[1]):
        body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("closed before an answer")
    return data


def test_versions_come_and_go_under_load(swapped_repository: Path, tmp_path: Path) -> None:
    plus = Plus(swapped_repository, tmp_path / "models")
    plus.publish(1)
    plus.label(stable=1)
    options = ("--poll-interval", "0.1", "--latest-versions", "2", "--workers", "2")
    with Server("--models", str(plus.folder), *options) as server, Load(server) as load:

        def newest(version: int) -> None:
            assert eventually(lambda: answers(server) == {version})
            assert eventually(lambda: is_newest(version))

        def is_newest(version: int) -> bool:
            """Does it alone answer? Clients may still have to read older answers."""
            load.answered.clear()
            time.sleep(0.3)
            seen = {*load.answered.copy()}
            served = {number for path, number in seen if "stable" not in path}
            return {path for path, _ in seen} == {*PATHS} and served == {version}

        plus.publish(2)
        newest(2)
        plus.publish(3, adds=4)
        assert eventually(lambda: told(server, "3")[0] == "UNAVAILABLE")
        newest(2)
        plus.label(stable=2)
        assert eventually(lambda: stable(server) == {2})
        plus.remove(3)
        plus.publish(3)
        newest(3)
        plus.corrupt(3)
        assert eventually(lambda: "checksum" in told(server, "3")[1])
        newest(3)
        plus.label(stable=3)
        assert eventually(lambda: stable(server) == {3})
        plus.label(stable=2)
        plus.remove(3)
        newest(2)
        for version in range(3, 9):
            plus.publish(version)
            newest(version)
            plus.label(stable=version)
            assert eventually(lambda version=version: stable(server) == {version})
    assert load.wrong == []


def stable(server: Server) -> set[int]:
    return answers(server, "/predict?version=stable")
