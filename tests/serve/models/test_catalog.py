"""Which model and version answers."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bundle import reader, writer
from serve.models import session
from tests.servers.live import Server

BODY = json.dumps({"images": [[0] * 784]})


@pytest.fixture
def four(repository: Path, tmp_path: Path) -> Path:
    """A copy of the repository with versions 1 to 4."""
    models = shutil.copytree(repository, tmp_path / "models")
    first = reader.read_version(models, "mnist", 1)
    assert first.manifest
    assert first.golden
    files = {"model.onnx": first.model, "golden.npz": first.golden.to_npz()}
    for _ in range(3):
        writer.publish(models, first.manifest, files)
    return models


@pytest.fixture
def labelled(four: Path) -> Iterator[Server]:
    (four / "mnist/labels.json").write_text('{"stable": 1, "canary": 4, "lost": 9}')
    with Server("--models", str(four), "--workers", "1") as running:
        yield running


def test_a_model_is_loaded_from_the_bytes_that_were_checked(four: Path) -> None:
    bundle = reader.read_version(four, "mnist", 1)
    for file in (four / "mnist/1").iterdir():
        file.write_bytes(b"replaced")
    assert bundle.golden
    outputs = session.load(bundle, threads=1).run(bundle.golden.inputs)
    for name, expected in bundle.golden.outputs.items():
        np.testing.assert_allclose(outputs[name], expected, rtol=1e-5)


def version(server: Server, path: str, body: str = BODY) -> str | None:
    answer = server.request("POST", path, body)
    assert answer.status == 200, answer.body
    return answer.headers["X-Model-Version"]


def test_the_newest_answers_unless_another_is_asked_for(labelled: Server) -> None:
    assert version(labelled, "/predict") == "4"
    assert version(labelled, "/predict?version=3") == "3"
    assert version(labelled, "/predict?model=mnist&version=stable") == "1"
    rows = json.dumps({"instances": [[0] * 784]})
    for path, expected in (
        ("/invocations", "4"),
        ("/invocations?version=canary", "4"),
        ("/v1/models/mnist:predict", "4"),
        ("/v1/models/mnist/versions/3:predict", "3"),
        ("/v1/models/mnist/labels/stable:predict", "1"),
    ):
        assert version(labelled, path, rows) == expected
    tensor = {"name": "image", "shape": [1, 784], "datatype": "FP32", "data": [0] * 784}
    document = json.dumps({"inputs": [tensor]})
    for name, expected in (("3", "3"), ("stable", "1")):
        path = f"/v2/models/mnist/versions/{name}/infer"
        answer = labelled.request("POST", path, document)
        assert answer.json()["model_version"] == expected


def test_only_the_newest_and_the_labelled_are_served(labelled: Server) -> None:
    index = labelled.request("POST", "/v2/repository/index").json()
    assert [entry["version"] for entry in index] == ["1", "3", "4"]
    for path, why in (
        ("/predict?version=2", "no version 2; there is 1, 3, 4"),
        ("/predict?version=lost", "no version 9; there is 1, 3, 4"),
        ("/predict?version=other", "no version 'other'; the labels are stable, canary, lost"),
        ("/predict?version=04", "no version '04'; the labels are stable, canary, lost"),
        ("/predict?version=%D9%A4", "no version '٤'; the labels are stable, canary, lost"),
        (
            "/predict?version=" + "0" * 19 + "4",
            f"no version '{'0' * 19}4'; the labels are stable, canary, lost",
        ),
        ("/predict?model=cats", "no model 'cats'; there is mnist"),
    ):
        answer = labelled.request("POST", path, BODY)
        assert (answer.status, answer.json()) == (404, {"error": why})
    _, _, log = labelled.end(signal.SIGTERM)
    assert "serve: mnist: label lost means version 9, which is not served" in log


def test_as_many_versions_are_served_as_the_settings_say(four: Path) -> None:
    with Server("--models", str(four), "--latest-versions", "3", "--workers", "1") as server:
        metadata = server.request("GET", "/v2/models/mnist").json()
        assert metadata["versions"] == ["2", "3", "4"]


def test_labels_that_can_not_be_read_are_none(four: Path) -> None:
    (four / "mnist/labels.json").write_text("{")
    with Server("--models", str(four), "--workers", "1") as server:
        assert version(server, "/predict") == "4"
        assert server.request("POST", "/predict?version=stable", BODY).status == 404
        _, _, log = server.end(signal.SIGTERM)
    assert "mnist/labels.json: not JSON" in log
