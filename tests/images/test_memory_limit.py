"""A container that needs more than its memory limit, beside another one."""

import contextlib
import json
from http.client import HTTPException
from pathlib import Path

from tests.images.conftest import Images, readable
from tests.images.container import Container
from tests.models import hostile
from tests.models.plus import Plus
from tests.reliability.load import Load
from tests.servers.processes import eventually

GIBIBYTE = 2**28  # numbers


def test_a_container_that_exceeds_its_memory_harms_no_other(
    images: Images, swapped_repository: Path, tmp_path: Path
) -> None:
    """The kernel kills a process in it. The container replaces that process, or is restarted."""
    Plus(swapped_repository, tmp_path).publish(1)
    (tmp_path / "greedy/1").mkdir(parents=True)
    (tmp_path / "greedy/1/model.onnx").write_bytes(hostile.greedy())
    restarted = ("--restart", "unless-stopped")
    with (
        Container(images.engine, readable(tmp_path), *restarted) as greedy,
        Container(images.engine, readable(tmp_path), *restarted) as other,
        Load(other.port, path="/predict?model=plus") as load,
    ):
        load.goes_on()
        assert ask(greedy, 1) == [[1, 1]]
        assert ask(greedy, GIBIBYTE) is None
        assert eventually(lambda: ask(greedy, 1) == [[1, 1]])
        assert "was ended by SIGKILL" in greedy.docker("logs") or greedy.restarts() == 1
        load.goes_on()
        assert other.restarts() == 0
    assert (load.wrong, load.failed) == ([], [])


def ask(container: Container, size: int) -> object:
    """Have the model fill so many numbers; its answer, or None where the connection breaks."""
    body = json.dumps({"instances": [[size, 1]]}).encode()
    with contextlib.suppress(OSError, HTTPException):
        return container.request("POST", "/v1/models/greedy:predict", body).json()["predictions"]
    return None
