"""The registry in MLflow, and aliases that it shares with the model repository."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest

from bundle import store
from tests.conftest import Digits, python_environment, run
from tests.live_server import Server


@pytest.fixture
def registered(work: Path, tmp_path: Path, tracked: None) -> Iterator[tuple[str, Path]]:
    """A model of this test's own, with two versions that are the same graph, and its repository."""
    name = f"own{tmp_path.name.replace('_', '-')}"
    models = tmp_path / "models"
    for version in (1, 2):
        status, out, err = export(work, "--best", "--name", name, "--models", models)
        assert (status, out) == (0, f"{models}/{name}/{version}\n"), err
    yield name, models
    mlflow.MlflowClient().delete_registered_model(name)


def export(work: Path, *arguments: str | Path) -> tuple[int, str, str]:
    done = run(*(sys.executable, "-m", "export", *arguments), cwd=work, env=python_environment())
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def labels(models: Path, name: str) -> object:
    path = models / name / "labels.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_an_export_is_registered_with_its_signature_and_tags(
    registered: tuple[str, Path], digits: Digits
) -> None:
    name, models = registered
    manifest = store.read(models, name, 1).manifest
    assert manifest
    version = mlflow.MlflowClient().get_model_version(name, "1")
    assert version.run_id == manifest.run_id
    assert version.tags["onnx_sha256"] == manifest.files["model.onnx"]
    assert version.tags["repository_version"] == "1"
    assert version.tags["dataset"] == "subset"
    assert float(version.tags["test_accuracy"]) == manifest.metrics["test_accuracy"]
    loaded = mlflow.pyfunc.load_model(f"models:/{name}/1")
    assert loaded.metadata.signature.inputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, 784)
    rows = digits.images[:50].astype(np.float32)
    assert (loaded.predict(rows)["probabilities"].argmax(axis=1) == digits.labels[:50]).mean() > 0.8


def test_promote_sets_the_alias_and_the_label(
    registered: tuple[str, Path], work: Path, digits: Digits
) -> None:
    name, models = registered
    (models / name / "labels.json").write_text('{"canary": 2, "champion": 1}')
    status, out, err = export(work, "promote", name, "2", "--models", models)
    assert (status, out) == (0, "")
    assert "".join(err.split()).startswith(f"{name}version2ischampion,in")
    assert labels(models, name) == {"canary": 2, "champion": 2}
    client = mlflow.MlflowClient()
    assert client.get_model_version_by_alias(name, "champion").version == 2
    status, _, _ = export(work, "promote", name, "1", "--alias", "stable", "--models", models)
    assert status == 0
    assert client.get_model_version_by_alias(name, "stable").version == 1
    assert labels(models, name) == {"canary": 2, "champion": 2, "stable": 1}
    with Server("--models", str(models)) as server:
        body = {"instances": digits.images[:2].tolist()}
        path = f"/v1/models/{name}/labels/stable:predict"
        answer = server.request("POST", path, json.dumps(body).encode())
        assert answer.status == 200


def test_a_refused_promotion_changes_nothing(registered: tuple[str, Path], work: Path) -> None:
    name, models = registered
    mine = shutil.copytree(models, models.parent / "mine")
    shutil.copytree(models / name, mine / "unknown")
    manifest = json.loads((mine / "unknown/1/manifest.json").read_text())
    (mine / "unknown/1/manifest.json").write_text(json.dumps(manifest | {"name": "unknown"}))
    (mine / "plain/1").mkdir(parents=True)
    shutil.copy(models / name / "1/model.onnx", mine / "plain/1")
    with (mine / name / "2/model.onnx").open("ab") as file:
        file.write(b"more")
    for arguments, message in (
        ((name, "3"), f"{mine / name} has no version 3; it has 1, 2"),
        ((name, "2"), f"{mine / name}/2/model.onnx: checksum mismatch"),
        (("plain", "1"), f"{mine}/plain/1 was not published as plain by python -m export"),
        (("unknown", "1"), "MLflow's registry has no version of unknown that is version 1"),
        ((name, "1", "--alias", "latest"), "MLflow: 'latest' alias name"),
        ((name, "1", "--alias", "7"), "alias '7': use letters"),
    ):
        status, _, err = export(work, "promote", *arguments, "--models", mine)
        assert status == 1, arguments
        assert err.startswith(f"export: {message}"), err
        assert err.count("\n") == 1
        assert not (mine / name / "labels.json").exists()
    assert mlflow.MlflowClient().get_registered_model(name).aliases == {}


def test_labels_that_cannot_be_changed_leave_mlflow_as_it_was(
    registered: tuple[str, Path], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bundle.errors import BundleError
    from export.errors import ExportError
    from export.promote import promote

    name, models = registered
    assert promote(models, name, 1, "champion") == "1"

    def full_disk(*_: object) -> None:
        raise BundleError("no space left")

    monkeypatch.setattr(store, "label", full_disk)
    for alias in ("champion", "other"):
        with pytest.raises(ExportError, match="no space left"):
            promote(models, name, 2, alias)
    aliases = mlflow.MlflowClient().get_registered_model(name).aliases
    assert {alias: str(version) for alias, version in aliases.items()} == {"champion": "1"}
