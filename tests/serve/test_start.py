"""What a server refuses to start with: one clear line, exit status 1, and never a traceback."""

import json
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from bundle import store
from bundle.golden import Golden
from bundle.manifest import Manifest
from tests.conftest import python_environment, run
from tests.live_server import Server


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """A copy of the repository that a test may damage."""
    return shutil.copytree(repository, tmp_path / "models")


def refusal(*arguments: str | Path) -> str:
    """Start a server that must refuse; returns its one line."""
    done = run(sys.executable, "-m", "serve", "--port", "0", *arguments, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("serve: ")
    return line


def republish(repository: Path, model: bytes, golden: Golden | None = None) -> None:
    """Publish another model file, or other golden answers, under the first version's manifest."""
    first = store.read(repository, "mnist", 1)
    assert first.manifest
    assert first.golden
    npz = (golden or first.golden).to_npz()
    store.publish(repository, first.manifest, {"model.onnx": model, "golden.npz": npz})


def test_corrupted_model(copy: Path) -> None:
    path = copy / "mnist/1/model.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "mnist/1/model.onnx: checksum mismatch" in refusal("--models", copy)


@pytest.mark.parametrize("file", ["model.onnx", "golden.npz", "manifest.json"])
def test_missing_file(copy: Path, file: str) -> None:
    (copy / "mnist/1" / file).unlink()
    assert f"mnist/1/{file}: missing" in refusal("--models", copy)


def test_golden_mismatch(copy: Path) -> None:
    first = store.read(copy, "mnist", 1)
    assert first.golden
    other = {name: np.roll(array, 1, axis=1) for name, array in first.golden.outputs.items()}
    republish(copy, first.model, Golden(first.golden.inputs, other))
    assert "mnist/2: golden answers: probabilities differs by" in refusal("--models", copy)


def test_golden_inputs_that_the_model_does_not_take(copy: Path) -> None:
    first = store.read(copy, "mnist", 1)
    assert first.golden
    republish(copy, first.model, Golden({"other": np.zeros((1, 784), "f4")}, first.golden.outputs))
    assert "mnist/2: the golden inputs do not run" in refusal("--models", copy)


def test_no_onnx(copy: Path) -> None:
    republish(copy, b"this is no model")
    assert "mnist/2: onnxruntime does not load it" in refusal("--models", copy)


def test_manifest_of_another_schema(copy: Path) -> None:
    path = copy / "mnist/1/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 9}))
    assert "schema_version is 9; this release reads 1" in refusal("--models", copy)


def test_a_manifest_of_other_tensors(copy: Path) -> None:
    path = copy / "mnist/1/manifest.json"
    document = json.loads(path.read_text())
    document["inputs"][0]["shape"] = [-1, 100]
    path.write_text(json.dumps(document))
    assert "describes other tensors than the graph has" in refusal("--models", copy)


def test_a_host_that_is_none(repository: Path) -> None:
    line = refusal("--models", repository, "--host", "a..b")
    assert "cannot listen on a..b:0: no such host name" in line


def test_no_repository_no_model_no_such_model(copy: Path, tmp_path: Path) -> None:
    assert "no such folder; `python -m export` publishes" in refusal("--models", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "no model here; `python -m export` publishes" in refusal("--models", tmp_path / "empty")
    line = refusal("--models", copy, "--name", "cats")
    assert line.endswith("no model 'cats'; there is mnist")


def test_several_models_leave_a_choice(copy: Path) -> None:
    shutil.copytree(copy / "mnist", copy / "fashion")
    assert "choose with --name one of fashion, mnist" in refusal("--models", copy)
    refused = run(
        *(sys.executable, "-m", "serve", "--models", copy),
        env=python_environment(SERVE_NAME="", SERVE_PORT="0"),
    )
    assert "choose with --name" in refused.stderr
    with Server("--models", str(copy), "--name", "mnist") as server:
        assert server.request("GET", "/v2/health/ready").status == 200


def test_a_port_that_is_taken(repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refusal("--models", repository, "--port", port)
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in line


def test_the_newest_version_is_served(copy: Path) -> None:
    first = store.read(copy, "mnist", 1)
    assert isinstance(first.manifest, Manifest)
    for _ in range(9):
        republish(copy, first.model)
    with Server("--models", str(copy)) as server:
        assert server.predict({"images": [[0] * 784]}).json()["version"] == 10


def test_a_plain_onnx_folder_is_served(copy: Path) -> None:
    for file in ("manifest.json", "golden.npz"):
        (copy / "mnist/1" / file).unlink()
    with Server("--models", str(copy)) as server:
        assert server.predict({"images": [[0] * 784]}).json()["version"] == 1
        answer = server.predict({"images": [[0] * 783]})
        assert answer.json() == {
            "error": "images[0]: expected an array of 784 numbers, got an array of 783"
        }
