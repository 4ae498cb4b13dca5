"""The proof once more, from what was published."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from bundle import reader
from tests.commands import call
from tests.models.shared import SUBSET_TEST


def verify(folder: Path, cwd: Path, **environment: str) -> tuple[int, str]:
    done = call("export", "verify", folder, cwd=cwd, **environment)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.fixture
def folder(repository: Path, tmp_path: Path) -> Path:
    shutil.copytree(repository / "mnist/1", tmp_path / "models/mnist/1")
    return tmp_path / "models/mnist/1"


def alter(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_version_with_its_run(folder: Path, work: Path) -> None:
    status, err = verify(folder, work)
    assert status == 0
    lines = err.splitlines()
    assert lines[0] == f"{folder}: files and golden outputs are unchanged"
    by_size = [line.split() for line in lines if "test set by" in line]
    assert [cells[3] for cells in by_size] == ["1", "2", "3", "7", "64", "1000"]
    assert {cells[4] for cells in by_size} == {f"{SUBSET_TEST:,}"}
    assert lines[-1] == f"{folder} is unchanged"


def test_a_version_whose_run_is_not_reached(folder: Path, tmp_path: Path) -> None:
    store_elsewhere = f"sqlite:///{tmp_path}/other.db"
    for environment in ({}, {"MLFLOW_TRACKING_URI": store_elsewhere}):
        status, err = verify(folder, tmp_path, **environment)
        assert status == 0
        assert "not compared with its Keras model: " in err


def test_answers_that_are_not_the_published_ones(folder: Path, work: Path) -> None:
    """Another model, whose checksum the manifest has."""
    model = onnx.load(folder / "model.onnx")
    weights = model.graph.initializer[-1]
    values = onnx.numpy_helper.to_array(weights).copy()
    values.flat[0] += np.float32(0.5)
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(model, folder / "model.onnx")
    files = json.loads((folder / "manifest.json").read_text())["files"]
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    alter(folder, files=files | {"model.onnx": digest})
    status, err = verify(folder, work)
    assert status == 1
    assert "golden answers: probabilities differs by" in err


def test_a_manifest_that_says_too_much(folder: Path, work: Path) -> None:
    manifest = reader.read_version(folder.parent.parent, "mnist", 1).manifest
    assert manifest
    alter(folder, metrics={"test_accuracy": 0.9999})
    status, err = verify(folder, work)
    accuracy = manifest.metrics["test_accuracy"]
    assert status == 1
    said = f"export: its test accuracy is {accuracy:.2%}; the manifest says 99.99%"
    assert err.splitlines()[-1] == said


def test_folders_that_are_no_versions(folder: Path, work: Path, tmp_path: Path) -> None:
    for path in (folder.parent, tmp_path / "none", folder / "model.onnx"):
        status, err = verify(path, work)
        assert status == 1
        assert err == (
            f"export: {path}: not a version of a model; expected a folder such as models/mnist/3\n"
        )
