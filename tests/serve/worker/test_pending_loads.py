"""Models are loaded and unloaded over HTTP, by those who may, and their memory comes and goes."""

import hashlib
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.models.plus import Plus
from tests.servers.live import Response, Server
from tests.servers.plus_server import answers, index
from tests.servers.processes import eventually, processes, workers

ADMIN = {"Authorization": "Bearer secret"}


@pytest.fixture
def admin(plus: Plus, tmp_path: Path) -> Iterator[Server]:
    """Looks at the repository only when it is told to."""
    keys = tmp_path / "keys"
    keys.write_text(f"{hashlib.sha256(b'secret').hexdigest()} admin\n")
    told = ("--poll-interval", "0", "--workers", "2", "--admin-keys", str(keys))
    with Server("--models", str(plus.folder), *told) as running:
        yield running


def change(server: Server, operation: str, name: str = "plus") -> Response:
    return server.request("POST", f"/v2/repository/models/{name}/{operation}", headers=ADMIN)


def test_what_hangs_keeps_neither_an_unload_nor_the_end(admin: Server, plus: Plus) -> None:
    plus.path(2).mkdir()
    os.mkfifo(plus.path(2) / "model.onnx")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(change, admin, "load")
        assert eventually(lambda: len(processes(admin)) > 3)  # a forkserver and a trial
        assert change(admin, "unload").status == 200
        assert not waiting.done()
        status, _, _ = admin.end(signal.SIGTERM)
        answer = waiting.result()
    assert status == 0
    assert (answer.status, answer.json()) == (503, {"error": "the server is stopping"})


def test_load_and_unload(admin: Server, plus: Plus) -> None:
    plus.publish(2)
    assert answers(admin) == {1}
    assert change(admin, "load").status == 200
    assert answers(admin) == {2}
    assert change(admin, "unload").status == 200
    assert index(admin) == {"1": ("UNAVAILABLE", "unloaded"), "2": ("UNAVAILABLE", "unloaded")}
    refused = admin.request("POST", "/predict", '{"images": [[1, 2]]}')
    assert (refused.status, refused.json()) == (
        503,
        {"error": "model plus: no version of it can be served"},
    )
    assert admin.request("GET", "/v2/models/plus/ready").status == 503
    assert change(admin, "load").status == 200
    assert answers(admin) == {2}


def test_a_load_says_why_the_newest_version_can_not_be_served(admin: Server, plus: Plus) -> None:
    plus.publish(2, adds=7)
    answer = change(admin, "load")
    assert answer.status == 503
    assert answer.json()["error"].startswith("plus/2: golden answers: y differs by 5")
    assert answers(admin) == {1}


@pytest.mark.parametrize(
    ("name", "headers", "body", "status", "why"),
    [
        ("plus", {}, "", 401, "expected a key"),
        ("plus", {"X-API-Key": "guess"}, "", 401, "this key is not known"),
        ("cats", ADMIN, "", 404, "no model 'cats' in the repository"),
        ("plus", ADMIN, "{", 400, "the body is not JSON"),
        ("plus", ADMIN, '{"parameters": {"config": "{}"}}', 501, "parameter 'config'"),
    ],
)
def test_refusals(
    admin: Server, name: str, headers: dict[str, str], body: str, status: int, why: str
) -> None:
    for operation in ("unload", "load"):
        path = f"/v2/repository/models/{name}/{operation}"
        answer = admin.request("POST", path, body, headers)
        assert answer.status == status
        assert why in answer.json()["error"]
    assert answers(admin) == {1}


def test_nobody_may_unless_it_is_allowed(server: Server) -> None:
    answer = change(server, "unload", "mnist")
    assert answer.status == 403
    assert "--admin-keys FILE allows it" in answer.json()["error"]


def test_sighup_looks_at_the_repository(admin: Server, plus: Plus) -> None:
    plus.publish(2)
    admin.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: answers(admin) == {2})


def private_memory(server: Server) -> float:
    """MiB that the workers have to themselves."""

    def of(pid: int) -> int:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private"))

    return sum(of(pid) for pid in workers(server)) / 1024


def test_memory_returns(admin: Server, plus: Plus, swapped_repository: Path) -> None:
    """A model of 16 MiB is unloaded and loaded a hundred times."""
    before = private_memory(admin)
    shutil.copytree(swapped_repository / "large", plus.folder / "large")
    for turn in range(100):
        assert change(admin, "load", "large").status == 200
        if turn == 5:
            first = private_memory(admin)
        if turn < 99:
            assert change(admin, "unload", "large").status == 200
    assert eventually(lambda: private_memory(admin) < first + 8)
    assert change(admin, "unload", "large").status == 200
    assert eventually(lambda: private_memory(admin) < before + 8)
