"""Model files that are made to harm: what was served is served on."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.plus import Plus
from tests.servers.live import Server
from tests.servers.plus_server import QUICK, answers, told
from tests.servers.processes import eventually, workers


@pytest.fixture
def server(plus: Plus) -> Iterator[Server]:
    with Server("--models", str(plus.folder), *QUICK) as running:
        before = workers(running)
        yield running
        assert workers(running) == before


def test_what_can_not_be_loaded_is_not_served(server: Server, shared: Path, plus: Plus) -> None:
    hostile = {path.name: path for path in (shared / "hostile-models").iterdir()}
    del hostile["huge result"]
    assert len(hostile) == 9
    for number, name in enumerate(sorted(hostile), 2):
        shutil.copytree(hostile[name], plus.path(number))
        state, reason = told(server, str(number))
        assert state == "UNAVAILABLE", name
        assert reason.startswith(f"plus/{number}: onnxruntime does not load it: "), name
        assert answers(server) == {1}


def test_a_run_that_asks_for_all_memory_fails_alone(
    server: Server, shared: Path, plus: Plus
) -> None:
    shutil.copytree(shared / "hostile-models/huge result", plus.path(2))
    assert told(server, "2") == ("READY", "")
    body = json.dumps({"images": [[1, 2]]})
    assert eventually(lambda: server.request("POST", "/predict", body).status == 500)
    plus.remove(2)
    assert eventually(lambda: server.request("POST", "/predict", body).status == 200)
