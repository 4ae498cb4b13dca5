"""The registry in MLflow, and aliases that it shares with the model repository."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest

from bundle import reader, writer
from bundle.errors import BundleError
from cli import interrupt
from export import __main__
from tests.commands import export
from tests.conftest import Digits
from tests.servers.live import Server

NAME = "promoted"
FORCED = "forced_champion"


@pytest.fixture(scope="module")
def published(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with two versions of a model that are the same graph."""
    models = tmp_path_factory.mktemp("published")
    for version in (1, 2):
        status, out, err = export(work, "--best", "--name", NAME, "--models", models)
        assert (status, out) == (0, f"{models}/{NAME}/{version}\n"), err
    yield models
    mlflow.MlflowClient(f"sqlite:///{work}/mlflow.db").delete_registered_model(NAME)


@pytest.fixture
def registered(published: Path, tmp_path: Path, tracked: None) -> Iterator[tuple[str, Path]]:
    """The model's name, and a copy of the repository; no version has an alias."""
    models = shutil.copytree(published, tmp_path / "models")
    yield NAME, models
    client = mlflow.MlflowClient()
    for alias in client.get_registered_model(NAME).aliases:
        client.delete_registered_model_alias(NAME, alias)
    for version in "12":
        for tag in client.get_model_version(NAME, version).tags.keys() & {"load_p99_ms", FORCED}:
            client.delete_model_version_tag(NAME, version, tag)


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """``python -m export`` in this process: MLflow alone takes two seconds to import."""
    monkeypatch.chdir(work)
    monkeypatch.setattr(interrupt, "on_every_signal", lambda: None)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["export", *map(str, arguments)])
        status = __main__.main()
        return status, *capsys.readouterr()

    return call


def labels(models: Path, name: str) -> object:
    path = models / name / "labels.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_an_export_is_registered_with_its_signature_and_tags(
    registered: tuple[str, Path], digits: Digits
) -> None:
    name, models = registered
    manifest = reader.read_version(models, name, 1).manifest
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


def test_a_refused_promotion_changes_nothing(registered: tuple[str, Path], call: Call) -> None:
    name, models = registered
    mine = shutil.copytree(models, models.parent / "mine")
    shutil.copytree(models / name, mine / "unknown")
    manifest = json.loads((mine / "unknown/1/manifest.json").read_text())
    (mine / "unknown/1/manifest.json").write_text(json.dumps(manifest | {"name": "unknown"}))
    (mine / "plain/1").mkdir(parents=True)
    elsewhere = mine.parent / "elsewhere"
    (elsewhere / "1").mkdir(parents=True)
    shutil.copy(models / name / "1/model.onnx", mine / "plain/1")
    with (mine / name / "2/model.onnx").open("ab") as file:
        file.write(b"more")
    for arguments, message in (
        ((name, "3"), f"{mine / name} has no version 3; it has 1, 2"),
        (("missing", "1"), f"{mine}/missing has no versions"),
        (("../elsewhere", "1"), f"{mine}/../elsewhere has no versions"),
        ((name, "2"), f"{mine / name}/2/model.onnx: checksum mismatch"),
        (("plain", "1"), f"{mine}/plain/1 was not published as version 1 of plain by python"),
        (("unknown", "1"), "MLflow's registry has no version of unknown that is version 1"),
        ((name, "1", "--alias", "latest"), "MLflow: 'latest' alias name"),
        ((name, "1", "--key", mine / "none.pem"), f"{mine}/none.pem: not a public key"),
        ((name, "1", "--alias", "7"), "alias '7': use letters"),
    ):
        status, _, err = call("promote", *arguments, "--models", mine)
        assert status == 1, arguments
        assert err.startswith(f"export: {message}"), err
        assert err.count("\n") == 1
        assert not (mine / name / "labels.json").exists()
    assert [path.name for path in elsewhere.iterdir()] == ["1"]
    assert mlflow.MlflowClient().get_registered_model(name).aliases == {}


@pytest.mark.parametrize("error", [BundleError("no space left"), OSError(28, "no space left")])
def test_labels_that_cannot_be_changed_leave_mlflow_as_it_was(
    registered: tuple[str, Path], call: Call, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from export.errors import ExportError
    from export.registry.gate import Limits
    from export.registry.promote import promote

    name, models = registered
    assert promote(models, name, 1, "champion", Limits()).registered == "1"

    def full_disk(*_: object) -> None:
        raise error

    monkeypatch.setattr(writer, "label", full_disk)
    for alias in ("champion", "other"):
        with pytest.raises(ExportError, match="no space left"):
            promote(models, name, 2, alias, Limits())
    aliases = mlflow.MlflowClient().get_registered_model(name).aliases
    assert {alias: str(version) for alias, version in aliases.items()} == {"champion": "1"}


def say(models: Path, name: str, version: int, **changes: object) -> None:
    """Have the manifest of a version tell something else."""
    path = models / name / str(version) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def accuracy(value: float) -> dict[str, object]:
    return {"metrics": {"test_accuracy": value}}


def test_a_worse_version_is_not_promoted(registered: tuple[str, Path], call: Call) -> None:
    name, models = registered
    client = mlflow.MlflowClient()
    say(models, name, 1, **accuracy(0.9000))
    say(models, name, 2, **accuracy(0.8985))
    to = ("--models", models)
    assert call("promote", name, "1", *to)[0] == 0
    status, _, err = call("promote", name, "2", *to)
    assert status == 1
    assert err.splitlines()[:2] == [
        f"export: {name} version 2 is not promoted:",
        "  accuracy: 89.85% is 0.15 points worse than the 90.00% of version 1; the margin is 0.1;"
        " 0 test rows are right only with version 1 and 0 only with this one (McNemar's test: p ="
        " 1)",
    ]
    assert "--force" in err
    assert labels(models, name) == {"champion": 1}
    assert client.get_model_version_by_alias(name, "champion").version == 1
    # Another alias has no champion to be compared with.
    assert call("promote", name, "2", *to, "--alias", "canary")[0] == 0
    assert call("promote", name, "2", *to, "--margin", "0.15")[0] == 0
    assert labels(models, name) == {"champion": 2, "canary": 2}
    assert FORCED not in client.get_model_version(name, "2").tags


def test_a_forced_promotion_is_recorded(registered: tuple[str, Path], call: Call) -> None:
    name, models = registered
    say(models, name, 1, **accuracy(0.9))
    say(models, name, 2, **accuracy(0.8))
    to = ("--models", models)
    assert call("promote", name, "1", *to)[0] == 0
    status, _, err = call("promote", name, "2", *to, "--force")
    assert status == 0
    assert "promoted despite accuracy: 80.00% is 10.00 points worse than the 90.00%" in err
    tag = mlflow.MlflowClient().get_model_version(name, "2").tags[FORCED]
    assert tag.startswith("accuracy: 80.00% is 10.00 points worse than")
    last = json.loads((models / name / "promotions.jsonl").read_text().splitlines()[-1])
    assert (last["version"], last["before"], last["forced"]) == (2, 1, [tag])
    for version in ("1", "2"):
        assert call("promote", name, version, *to, "--force")[0] == 0
    assert call("rollback", name, *to)[0] == 0
    assert mlflow.MlflowClient().get_model_version(name, "2").tags[FORCED] == tag


def test_a_load_test_counts_where_it_is_asked_for(registered: tuple[str, Path], call: Call) -> None:
    name, models = registered
    to = ("--models", models, "--p99", "5")
    status, _, err = call("promote", name, "2", *to)
    assert status == 1
    assert err.splitlines()[1].startswith("  p99: unknown; python -m benchmarks run measures it")
    mlflow.MlflowClient().set_model_version_tag(name, "2", "load_p99_ms", "7.25")
    status, _, err = call("promote", name, "2", *to)
    assert status == 1
    assert err.splitlines()[1] == "  p99: 7.25 ms in its load test; the limit is 5"
    assert call("promote", name, "2", *to[:2], "--p99", "8")[0] == 0


def test_rollback_returns_to_the_version_before(registered: tuple[str, Path], call: Call) -> None:
    name, models = registered
    client = mlflow.MlflowClient()
    to = ("--models", models)
    status, _, err = call("rollback", name, *to)
    assert (status, err) == (1, f"export: no version of {name} in {models} is champion\n")
    for version in ("1", "2"):
        assert call("promote", name, version, *to)[0] == 0
    status, _, err = call("rollback", name, *to)
    assert (status, err.split(",")[0]) == (0, f"{name} version 1 is champion again")
    assert labels(models, name) == {"champion": 1}
    assert client.get_model_version_by_alias(name, "champion").version == 1
    status, _, err = call("rollback", name, *to)
    assert status == 1
    assert err == (
        f"export: {models}/{name}/promotions.jsonl has no version that was champion before"
        " version 1 and still exists\n"
    )


def test_a_champion_that_cannot_be_read_is_no_way_round(
    registered: tuple[str, Path], call: Call
) -> None:
    name, models = registered
    to = ("--models", models)
    assert call("promote", name, "1", *to)[0] == 0
    with (models / name / "1/model.onnx").open("ab") as file:
        file.write(b"damaged; what it says of its accuracy is not")
    say(models, name, 2, **accuracy(0.5))
    assert "accuracy: 50.00% is" in call("promote", name, "2", *to)[2]
    (models / name / "1/manifest.json").write_text("{")
    status, _, err = call("promote", name, "2", *to)
    assert status == 1
    assert "accuracy: that of version 1 can't be read" in err
    assert labels(models, name) == {"champion": 1}


def test_a_version_from_elsewhere_takes_the_alias_from_mlflow(
    registered: tuple[str, Path], call: Call
) -> None:
    """Else models:/NAME@champion and the server would be of two minds."""
    name, models = registered
    to = ("--models", models)
    file = models / name / "1/model.onnx"
    assert call("import", file, "--name", name, *to)[0] == 0
    assert call("promote", name, "1", *to)[0] == 0
    status, _, err = call("promote", name, "3", *to, "--force")
    assert (status, labels(models, name)) == (0, {"champion": 3}), err
    assert mlflow.MlflowClient().get_registered_model(name).aliases == {}
    status, _, err = call("rollback", name, *to)
    assert (status, labels(models, name)) == (0, {"champion": 1}), err
    assert mlflow.MlflowClient().get_model_version_by_alias(name, "champion").version == 1
