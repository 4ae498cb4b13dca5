"""The life of a model against a server of MLflow, with PostgreSQL and artifacts over HTTP."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest

from bundle import reader
from tests.commands import call
from tests.conftest import free_port, python_environment
from tests.servers import other
from tests.tracking import postgresql
from tests.train.conftest import PLAN


@dataclass(frozen=True)
class Site:
    """What a team has: a server of MLflow, a database for sweeps, and a folder to work in."""

    address: str
    sweeps: str
    folder: Path

    def call(self, *arguments: str | Path) -> str:
        """Run one of our commands in the folder; returns its stdout."""
        command, *options = arguments
        address = {"MLFLOW_TRACKING_URI": self.address}
        done = call(str(command), *options, cwd=self.folder, **address)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    artifacts = tmp_path_factory.mktemp("artifacts")
    port = free_port()
    with postgresql.running("mlflow", "sweeps") as urls:
        command = [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)),
            *("--backend-store-uri", urls["mlflow"]),
            *("--serve-artifacts", "--artifacts-destination", str(artifacts)),
        ]
        environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with other.started(command, port, **environment) as address:
            yield Site(address, urls["sweeps"], folder)


def test_train_sweep_compare_export_and_promote_over_http(
    site: Site, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ("--data", work / "subset.npz", "--experiment", "mnist")
    trained = site.call("train", *data, "--hidden", "64", "--epochs", "3")
    (site.folder / "two.toml").write_text(PLAN)
    sweep = ("sweep", "two.toml", "--seeds", "1", "--storage", site.sweeps)
    parent = site.call("train", *sweep, *data)

    compared = site.call("train", "compare")
    assert compared.startswith("3 runs, best val_accuracy first")
    site.call("train", "compare", "--runs", parent, trained, "--html", "page.html")
    assert (site.folder / "page.html").read_text().count("<tr>") == 4

    assert site.call("export", "--best", "--name", "mnist") == "models/mnist/1"
    manifest = reader.read_version(site.folder / "models", "mnist", 1).manifest
    assert manifest
    assert manifest.run_id == trained
    site.call("export", "promote", "mnist", "1", "--alias", "champion")
    labels = json.loads((site.folder / "models/mnist/labels.json").read_text())
    assert labels == {"champion": 1}

    monkeypatch.setenv("MLFLOW_TRACKING_URI", site.address)
    mlflow.set_tracking_uri(site.address)
    try:
        client = mlflow.MlflowClient()
        assert client.get_run(trained).info.artifact_uri.startswith("mlflow-artifacts:/")
        version = client.get_model_version_by_alias("mnist", "champion")
        assert version.run_id == trained
        assert version.tags["onnx_sha256"] == manifest.files["model.onnx"]
        loaded = mlflow.pyfunc.load_model("models:/mnist@champion")
        assert loaded.metadata.run_id == trained
    finally:
        mlflow.set_tracking_uri("")
    # Nothing of MLflow lies where the commands ran.
    assert {path.name for path in site.folder.iterdir()} == {
        *("two.toml", "models", "page.html", "checkpoints")
    }


def test_a_server_that_is_gone_is_one_line(tmp_path: Path, work: Path) -> None:
    nobody = {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    for arguments in (
        ("train", "--data", str(work / "subset.npz")),
        ("train", "compare"),
        ("export", "--best"),
    ):
        done = call(*arguments, cwd=tmp_path, **nobody)
        assert done.returncode == 1
        assert f"{arguments[0]}: MLflow" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_a_server_that_goes_away_costs_no_epoch(tmp_path: Path, work: Path) -> None:
    port = free_port()
    store_uri = f"sqlite:///{tmp_path}/mlflow.db"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)),
        *("--backend-store-uri", store_uri, "--artifacts-destination", str(tmp_path / "artifacts")),
    ]
    job = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with other.started(command, port, **job) as address:
        server = {"MLFLOW_TRACKING_URI": address, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "train",
                "--data",
                str(work / "subset.npz"),
                "--hidden",
                "8",
                "--epochs",
                "60",
            ],
            cwd=tmp_path,
            env=python_environment(**server),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        assert any(line.startswith("epoch   2/60") for line in process.stderr)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    last = err.splitlines()[-1]
    assert last.startswith(f"train: MLflow at {address}: ")
    assert "Traceback" not in err
    run_id = last.rpartition(" ")[2]
    with other.started(command, port, **job):
        resumed = call("train", "--resume", run_id, cwd=tmp_path, **server)
    assert resumed.returncode == 0, resumed.stderr
    ended = mlflow.MlflowClient(store_uri).get_run(run_id)
    assert ended.info.status == "FINISHED"
    assert len(mlflow.MlflowClient(store_uri).get_metric_history(run_id, "epoch/loss")) >= 60
