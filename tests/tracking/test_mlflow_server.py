"""The life of a model against a server of MLflow, with PostgreSQL and an object store."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
import numpy as np
import psycopg
import pytest

from bundle import reader
from tests.commands import call
from tests.conftest import Digits, free_port, python_environment
from tests.deploy import mlflow_server
from tests.servers import object_store, other
from tests.tracking import postgresql
from tests.train.conftest import PLAN


@dataclass(frozen=True)
class Site:
    """What a team has: a server of MLflow, a database for sweeps, and a folder to work in."""

    address: str
    databases: Mapping[str, str]
    """The URL of each."""
    store: str
    """The URL of the object store."""
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
    with (
        postgresql.running("mlflow", "sweeps") as urls,
        object_store.running(mlflow_server.bucket()) as store,
        mlflow_server.running(urlsplit(urls["mlflow"]).netloc.rpartition("@")[2], store) as address,
    ):
        yield Site(address, urls, store, folder)


def test_train_sweep_compare_export_and_promote_over_http(
    site: Site, work: Path, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ("--data", work / "subset.npz", "--experiment", "mnist")
    trained = site.call("train", *data, "--hidden", "64", "--epochs", "3")
    (site.folder / "two.toml").write_text(PLAN)
    sweep = ("sweep", "two.toml", "--seeds", "1", "--storage", site.databases["sweeps"])
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
        (logits,) = loaded.predict(digits.images.astype(np.float32)).values()
    finally:
        mlflow.set_tracking_uri("")
    accuracy = manifest.metrics["test_accuracy"]
    assert accuracy > 0.7
    assert np.mean(logits.argmax(1) == digits.labels) == pytest.approx(accuracy)
    assert metric(site, trained, "test_accuracy") == accuracy
    assert manifest.files["model.onnx"] in digests_of_artifacts(site, "model.onnx")
    # Nothing of MLflow lies where the commands ran.
    assert {path.name for path in site.folder.iterdir()} == {
        *("two.toml", "models", "page.html", "checkpoints")
    }


def metric(site: Site, run: str, key: str) -> float:
    """What the database itself has."""
    with psycopg.connect(site.databases["mlflow"]) as database:
        query = "SELECT value FROM latest_metrics WHERE run_uuid = %s AND key = %s"
        ((value,),) = database.execute(query, (run, key)).fetchall()
    return float(value)


def digests_of_artifacts(site: Site, name: str) -> set[str]:
    """SHA-256 of all files with a name that the object store itself has."""
    s3 = object_store.client(site.store)
    bucket = mlflow_server.bucket()
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    found = (s3.get_object(Bucket=bucket, Key=key) for key in keys if key.endswith(f"/{name}"))
    return {hashlib.sha256(one["Body"].read()).hexdigest() for one in found}


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("onnxlet-mlflow:5000", "/version", 200),  # as training names it
        ("10.0.0.7:5000", "/health", 200),  # as probes do
        ("10.0.0.7:5000", "/api/2.0/mlflow/experiments/search?max_results=1", 403),
    ],
)
def test_who_may_call_it(site: Site, host: str, path: str, status: int) -> None:
    connection = HTTPConnection(urlsplit(site.address).netloc, timeout=30)
    connection.request("GET", path, headers={"Host": host})
    assert connection.getresponse().status == status
    connection.close()


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
