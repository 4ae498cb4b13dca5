"""The training image, and both together in compose.yaml."""

import json
import re
import sqlite3
import ssl
import time
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import pytest

from bundle import reader
from tests.conftest import Digits, free_port
from tests.images import certificate as certificates
from tests.images.conftest import COMMIT, USER, Images, readable
from tests.images.container import Container
from tests.images.engine import Engine
from tests.servers.live import Server
from tests.servers.processes import eventually
from tests.servers.steady_clients import Clients


def test_it_trains_and_exports_without_privileges(trained: Path) -> None:
    manifest = reader.read_version(trained / "models", "mnist", 1).manifest
    assert manifest
    assert manifest.git_commit == COMMIT
    with closing(sqlite3.connect(trained / "mlflow.db")) as database:
        (runs,) = database.execute("SELECT COUNT(*) FROM runs WHERE status = 'FINISHED'").fetchone()
    assert runs == 1
    assert (trained / "models/mnist/1").stat().st_uid == USER


def test_it_has_no_server_of_ours(images: Images) -> None:
    command = ("run", "--rm", "--entrypoint", "/bin/ls", "onnxlet-train", "/app")
    assert images.engine.docker(*command).split() == [
        "LICENSE",
        "bundle",
        "cli",
        "export",
        "tracking",
        "train",
    ]
    python = ("run", "--rm", "--entrypoint", "/venv/bin/python", "onnxlet-train", "-c")
    code = (
        "import importlib.util as u; print([n for n in ('simdjson', 'waitress') if u.find_spec(n)])"
    )
    assert images.engine.docker(*python, code).strip().endswith("[]")


def test_it_has_the_drivers_of_a_cluster(images: Images) -> None:
    """Of PostgreSQL and of object stores, which MLflow imports when it is told to use them."""
    python = ("run", "--rm", "--read-only", "--entrypoint", "/venv/bin/python", "onnxlet-train")
    code = "import boto3, psycopg; print(psycopg.pq.__impl__)"
    assert images.engine.docker(*python, "-c", code).strip() == "binary"


def test_its_code_is_its_own(images: Images, tmp_path: Path) -> None:
    """And not what lies in the folder that it works in."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train/__init__.py").write_text("raise SystemExit('from elsewhere')")
    run = ("run", "--rm", "--volume", f"{readable(tmp_path)}:/workspace", "onnxlet-train")
    assert "usage: python -m train" in images.engine.docker(*run, "train", "--help")


def test_a_volume_that_serve_saw_first_can_be_published_into(images: Images) -> None:
    """Newer Compose makes all containers before it starts any."""
    engine = images.engine
    mount = "type=volume,source=first,target=/models,readonly,volume-nocopy"
    made = [
        engine.docker("create", "--volume", "first:/workspace/models", "onnxlet-train").strip(),
        engine.docker("create", "--mount", mount, "onnxlet-serve").strip(),
    ]
    write = ("run", "--rm", "--volume", "first:/workspace/models", "--entrypoint", "/bin/sh")
    try:
        engine.docker(*write, "onnxlet-train", "-c", "touch /workspace/models/here")
    finally:
        engine.docker("rm", *made)
        engine.docker("volume", "rm", "first")


def test_what_it_made_is_served(images: Images, trained: Path, digits: Digits) -> None:
    with Container(images.engine, trained / "models") as served:
        body = json.dumps({"images": digits.images[:200].tolist()}).encode()
        predicted = served.request("POST", "/predict", body).json()["predictions"]
    right = sum(int(a == b) for a, b in zip(predicted, digits.labels[:200], strict=True))
    manifest = reader.read_version(trained / "models", "mnist", 1).manifest
    assert manifest
    assert right / 200 == pytest.approx(manifest.metrics["test_accuracy"], abs=0.1)


def test_compose_ends_with_a_served_model(
    images: Images, work: Path, digits: Digits, tmp_path: Path
) -> None:
    """`docker compose up`, then a load on what is served, and the replicas behind a proxy."""
    project = "onnxlet-test"
    names = ("MLFLOW_PORT", "PORT", "PROMETHEUS_PORT", "PROXY_PORT", "TLS_PORT")
    ports = {name: free_port() for name in names}
    settings = {name: str(port) for name, port in ports.items()}
    settings |= {"TRAIN_OPTIONS": "--data /workspace/data/few/mnist.npz --epochs 1"}
    engine = images.engine
    engine.docker("volume", "create", f"{project}_data")
    folder = "/workspace/data"
    copy = f"mkdir {folder}/few && cp /from/subset.npz {folder}/few/mnist.npz"
    copy += f" && chown -R 65532:65532 {folder}"
    volumes = ("--volume", f"{project}_data:/workspace/data", "--volume", f"{work}:/from:ro")
    root = ("run", "--rm", "--user", "0", "--entrypoint", "/bin/sh", *volumes)
    engine.docker(*root, "onnxlet-train", "-c", copy)
    try:
        bench = ("--file", images.folder / "deploy/bench/Dockerfile")
        engine.build("onnxlet-bench", *bench, images.folder)
        engine.compose(project, "up", "--detach", **settings)
        assert ready(ports["PORT"]) == {"ready": True}
        found = ask(ports["MLFLOW_PORT"], "/api/2.0/mlflow/registered-models/search")
        assert [one["name"] for one in found["registered_models"]] == ["mnist"]
        load = ("--headless", "--host", "http://serve:8080", "--models", "/models")
        bench = ("--profile", "bench", "run", "--rm", "-T", "bench", *load, "--measure", "2")
        told = engine.compose(project, *bench, **settings)
        assert re.search(r"^predict x 1: \d\d+ correct, 0 failed  p50 ", told, re.MULTILINE)
        check_that_it_trains_only_once(engine, project, settings)
        engine.build("onnxlet-proxy", images.folder / "deploy/proxy")
        certificate = certificates.make(tmp_path / "tls")
        settings["TLS"] = str(readable(certificate.parent))
        replicas = ("--profile", "replicas", "up", "--detach", "--scale", "replica=2")
        engine.compose(project, *replicas, **settings)
        assert ready(ports["PROXY_PORT"]) == {"ready": True}
        trusted = ssl.create_default_context(cafile=str(certificate))
        assert eventually(lambda: names_itself(ports["TLS_PORT"], trusted))
        engine.build("onnxlet-prometheus", images.folder / "deploy/monitoring")
        engine.compose(project, "up", "--detach", "prometheus", **settings)
        check_that_restarts_lose_nothing(engine, project, settings, digits)
        assert eventually(lambda: states_of_targets(ports["PROMETHEUS_PORT"]) == ["up"] * 3)
    finally:
        profiles = ("--profile", "replicas", "--profile", "monitoring")
        engine.compose(project, *profiles, "down", "--volumes", **settings)


def states_of_targets(port: int) -> list[str]:
    """What Prometheus says of each server, one with the rules loaded; none before it answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/v1/rules", timeout=5) as answer:
            assert len(json.load(answer)["data"]["groups"]) == 2
        with urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=5) as answer:
            return sorted(one["health"] for one in json.load(answer)["data"]["activeTargets"])
    except OSError:
        return []


def check_that_restarts_lose_nothing(
    engine: Engine, project: str, settings: dict[str, str], digits: Digits
) -> None:
    """Replicas are restarted one after the other while clients ask the proxy."""
    listed = engine.compose(
        project, "--profile", "replicas", "ps", "--quiet", "replica", **settings
    )
    replicas = listed.split()
    assert len(replicas) == 2
    proxy = Server()
    proxy.port = int(settings["PROXY_PORT"])
    with Clients(proxy, digits) as clients:
        for replica in replicas:
            engine.docker("restart", "--time", "30", replica)
            assert eventually(lambda replica=replica: is_asked(engine, replica))
    assert clients.failures == []


def names_itself(port: int, trusted: ssl.SSLContext) -> bool:
    """Is it our server that answers over TLS, twenty times in a row?"""
    try:
        for _ in range(20):  # the proxy may not know of both replicas yet
            with urlopen(f"https://localhost:{port}/v2", timeout=5, context=trusted) as answer:
                if json.load(answer)["name"] != "onnxlet":
                    return False
    except OSError:
        return False
    return True


def is_asked(engine: Engine, replica: str) -> bool:
    """Does the proxy send predictions to a replica again? Its health checks don't count."""
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = engine.docker("inspect", "--format", form, replica).strip()
    try:
        with urlopen(f"http://{address}:8080/metrics", timeout=5) as answer:
            series = answer.read().decode()
    except OSError:
        return False
    answered = r'^onnxlet_requests_total\{[^}]*route="/predict",status="200"'
    return re.search(answered, series, re.MULTILINE) is not None


def check_that_it_trains_only_once(engine: Engine, project: str, settings: dict[str, str]) -> None:
    """A second ``up`` serves what is there; RETRAIN trains, until SIGTERM ends it."""
    engine.compose(project, "up", "--detach", **settings)
    train = engine.compose(project, "ps", "--all", "--quiet", "train", **settings).strip()
    assert engine.docker("wait", train).strip() == "0"
    assert "there is a model" in engine.docker("logs", train)
    endless = f"{settings['TRAIN_OPTIONS']} --epochs 9999"
    engine.compose(
        project, "up", "--detach", "train", **settings | {"RETRAIN": "1", "TRAIN_OPTIONS": endless}
    )
    train = engine.compose(project, "ps", "--all", "--quiet", "train", **settings).strip()
    until = time.monotonic() + 120
    while "epoch" not in engine.docker("logs", train):
        assert time.monotonic() < until, engine.docker("logs", train)
        time.sleep(0.2)
    engine.docker("stop", "--time", "60", train)
    assert "train: interrupted; the run is marked KILLED" in engine.docker("logs", train)


def ready(port: int) -> object:
    """What the server says once it is ready."""
    until = time.monotonic() + 120
    while True:
        try:
            return ask(port, "/v2/health/ready")
        except (OSError, HTTPException):
            assert time.monotonic() < until
            time.sleep(0.2)


def ask(port: int, path: str) -> dict[str, list[dict[str, object]]]:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return dict(json.load(answer))
