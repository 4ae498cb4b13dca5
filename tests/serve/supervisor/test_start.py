"""What a server refuses to start with: one clear line, exit status 1, and never a traceback."""

import json
import shutil
import signal
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from bundle import reader, writer
from bundle.golden import Golden
from bundle.manifest import Manifest
from tests.conftest import run
from tests.servers.live import Server, after_kernel_warning


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """A copy of the repository that a test may damage."""
    return shutil.copytree(repository, tmp_path / "models")


def refusal(*arguments: str | Path) -> str:
    """Start a server that must refuse; returns its one line."""
    done = run(sys.executable, "-m", "serve", "--port", "0", *arguments, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = after_kernel_warning(done.stderr).splitlines()
    assert line.startswith("serve: ")
    return line


def republish(repository: Path, model: bytes, golden: Golden | None = None) -> Path:
    """Publish another model file, or other golden answers, under the first version's manifest."""
    first = reader.read_version(repository, "mnist", 1)
    assert first.manifest
    assert first.golden
    npz = (golden or first.golden).to_npz()
    return writer.publish(repository, first.manifest, {"model.onnx": model, "golden.npz": npz})


def replace(repository: Path, model: bytes, golden: Golden | None = None) -> None:
    """The same, and leave no other version."""
    republish(repository, model, golden)
    shutil.rmtree(repository / "mnist/1")


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
    first = reader.read_version(copy, "mnist", 1)
    assert first.golden
    other = {name: np.roll(array, 1, axis=1) for name, array in first.golden.outputs.items()}
    replace(copy, first.model, Golden(first.golden.inputs, other))
    assert "mnist/2: golden answers: probabilities differs by" in refusal("--models", copy)


def test_golden_inputs_that_the_model_does_not_take(copy: Path) -> None:
    first = reader.read_version(copy, "mnist", 1)
    assert first.golden
    replace(copy, first.model, Golden({"other": np.zeros((1, 784), "f4")}, first.golden.outputs))
    assert "mnist/2: the golden inputs do not run" in refusal("--models", copy)


def test_no_onnx(copy: Path) -> None:
    replace(copy, b"this is no model")
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
    assert "the tensors in manifest.json differ from those of the graph" in refusal(
        "--models", copy
    )


def test_a_host_that_is_none(repository: Path) -> None:
    line = refusal("--models", repository, "--host", "a..b")
    assert "cannot listen on a..b:0: no such host name" in line


def test_no_repository_no_model_no_such_model(copy: Path, tmp_path: Path) -> None:
    assert "no such folder; `python -m export` publishes" in refusal("--models", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "no model here; `python -m export` publishes" in refusal("--models", tmp_path / "empty")
    line = refusal("--models", copy, "--default-model", "cats")
    assert line.endswith("no model 'cats'; there is mnist")


def test_several_models_are_served_and_one_may_be_the_default(copy: Path) -> None:
    shutil.copytree(copy / "mnist", copy / "fashion")
    with Server("--models", str(copy), SERVE_DEFAULT_MODEL="") as server:
        refused = server.predict({"images": [[0] * 784]})
        assert refused.status == 400
        assert refused.json()["error"] == (
            "say which model, as in ?model=NAME; there is fashion, mnist"
        )
        for name in ("fashion", "mnist"):
            body = json.dumps({"images": [[0] * 784]})
            answer = server.request("POST", f"/predict?model={name}", body)
            assert (answer.json()["model"], answer.headers["X-Model-Name"]) == (name, name)
    with Server("--models", str(copy), "--default-model", "fashion") as server:
        assert server.predict({"images": [[0] * 784]}).json()["model"] == "fashion"


def test_a_version_that_is_bad_gives_way_to_the_one_before(copy: Path) -> None:
    republish(copy, b"this is no model")
    with Server("--models", str(copy), "--workers", "1") as server:
        assert server.predict({"images": [[0] * 784]}).json()["version"] == 1
        body = json.dumps({"images": [[0] * 784]})
        answer = server.request("POST", "/predict?version=2", body)
        assert answer.status == 503
        assert answer.json()["error"].startswith("version 2 can't be served")
        _, _, log = server.end(signal.SIGTERM)
    assert "serve: not served: mnist/2: onnxruntime does not load it" in log


def test_a_port_that_is_taken(repository: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refusal("--models", repository, "--port", port)
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in line


def test_the_newest_version_is_served(copy: Path) -> None:
    first = reader.read_version(copy, "mnist", 1)
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
