"""A server under load follows promotions and rollbacks, and fails no request."""

import http.client
import json
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.commands import call
from tests.conftest import Digits
from tests.servers.live import Server

POLL_SECONDS = 0.2


@pytest.fixture
def models(other_repository: Path, tmp_path: Path) -> Path:
    """Two versions of a model from elsewhere, so that no MLflow store takes part."""
    file = other_repository / "bytes/1/model.onnx"
    for _ in (1, 2):
        export(tmp_path, "import", str(file), "--name", "m")
    export(tmp_path, "promote", "m", "1")
    return tmp_path / "models"


def export(folder: Path, *arguments: str) -> None:
    done = call("export", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr


class Load(threading.Thread):
    """Asks the champion over and over, on one connection."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._done = threading.Event()
        self.seen: list[tuple[int, str]] = []
        """Status and version of each answer."""

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        body = json.dumps({"instances": [[0, 1, 2, 3]]})
        while not self._done.is_set():
            connection.request("POST", "/v1/models/m/labels/champion:predict", body)
            answer = connection.getresponse()
            answer.read()
            self.seen.append((answer.status, answer.headers.get("X-Model-Version", "")))
        connection.close()

    def end(self) -> None:
        self._done.set()
        self.join()

    def wait_for(self, version: str) -> None:
        """Until the last hundred answers are of that version."""
        until = time.monotonic() + 30
        while {seen for _, seen in self.seen[-100:]} != {version}:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_no_request_fails_while_the_champion_changes(models: Path, digits: Digits) -> None:
    options = ("--models", str(models), "--poll-interval", str(POLL_SECONDS), "--workers", "2")
    with Server(*options) as server:
        loads = [Load(server.port) for _ in range(4)]
        for load in loads:
            load.start()
        for step, version in (
            (("promote", "m", "2"), "2"),
            (("rollback", "m"), "1"),
            (("promote", "m", "2"), "2"),
        ):
            for load in loads:
                load.wait_for("1" if version == "2" else "2")
            export(models.parent, *step)
            for load in loads:
                load.wait_for(version)
        for load in loads:
            load.end()
    for load in loads:
        assert {status for status, _ in load.seen} == {200}
        # Each change reached a connection once: no answer of the old version came after the new.
        versions = [version for _, version in load.seen]
        changes = [(a, b) for a, b in pairwise(versions) if a != b]
        assert changes == [("1", "2"), ("2", "1"), ("1", "2")]
