"""The serving image: what is in it, and how it behaves under all restrictions."""

import concurrent.futures
import hashlib
import io
import json
import re
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from serve import pages
from tests.conftest import Digits, run
from tests.images import docker
from tests.images.conftest import COMMIT, USER, Images, readable
from tests.images.container import RESTRICTIONS, Container
from tests.servers.processes import eventually
from tests.suite import programs
from tests.wire.calls import ADMIN_KEY
from tests.wire.clients import CALLS

MOST_BYTES, MOST_COMPRESSED = 110_000_000, 35_000_000


def exported(images: Images, image: str) -> bytes:
    """The image's file system, as a tar."""
    environment = images.engine.environment
    made = images.engine.docker("create", image).strip()
    try:
        command = [str(docker.client()), "export", made]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
    finally:
        images.engine.docker("rm", made)
    return done.stdout


@pytest.fixture(scope="module")
def files(images: Images) -> bytes:
    return exported(images, "onnxlet-serve")


def digests(files: bytes) -> dict[str, str]:
    """SHA-256 of each file, or what a link leads to."""
    with tarfile.open(fileobj=io.BytesIO(files)) as archive:
        found = {}
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            data = content.read() if content else member.linkname.encode()
            found[member.name] = hashlib.sha256(data).hexdigest()
    return found


def test_it_is_small(images: Images, files: bytes) -> None:
    size = int(images.engine.docker("inspect", "--format", "{{.Size}}", "onnxlet-serve"))
    assert size <= MOST_BYTES
    zstd = [str(programs.ZSTD.path()), "-15", "-T0", "-q", "-c"]
    squeezed = subprocess.run(zstd, input=files, capture_output=True, check=True)
    print(f"{size / 1e6:.1f} MB, {len(squeezed.stdout) / 1e6:.1f} MB as zstd")
    assert len(squeezed.stdout) <= MOST_COMPRESSED


def test_it_holds_what_it_needs_and_nothing_else(images: Images, files: bytes) -> None:
    names = {Path(name).name for name in digests(files)}
    assert names.isdisjoint({"sh", "bash", "dash", "busybox", "pip", "pip3", "gcc", "apt", "dpkg"})
    assert names.isdisjoint({"tensorflow", "keras", "mlflow", "onnx", "train", "export"})
    assert {"onnxruntime", "numpy", "bundle", "serve"} <= names
    config = json.loads(images.engine.docker("inspect", "onnxlet-serve"))[0]["Config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["/usr/bin/python3", "-m", "serve"]
    assert config["Healthcheck"]["Test"][0] == "CMD"


def test_it_holds_the_web_pages(files: bytes) -> None:
    within = digests(files)
    for path in pages.FOLDER.iterdir():
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        assert within[f"app/serve/pages/assets/{path.name}"] == sha256


def test_licences_and_a_bill_of_materials(files: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(files)) as archive:
        names = archive.getnames()
        content = archive.extractfile("usr/share/sbom/onnxlet.cdx.json")
        assert content
        bill = json.load(content)
    assert bill["bomFormat"] == "CycloneDX"
    parts = {one["name"].lower(): one["version"] for one in bill["components"]}
    assert {"onnxruntime", "numpy", "flask", "waitress", "libc6", "libssl3t64"} <= parts.keys()
    assert "pip" not in parts
    known = {one["bom-ref"] for one in (*bill["components"], bill["metadata"]["component"])}
    for one in bill["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= known
    assert {"usr/share/common-licenses/LGPL-2.1", "usr/share/common-licenses/GPL-3"} <= {*names}
    assert any(name.endswith("onnxruntime/ThirdPartyNotices.txt") for name in names)
    for name in ("libc6", "python3.13-minimal", "onnxlet"):
        assert f"usr/share/doc/{name}/copyright" in names
    licences = [name for name in names if "dist-info/" in name and "LICEN" in name.upper()]
    assert {name.split("/dist-packages/")[1].split("-")[0] for name in licences} >= {
        "numpy",
        "flask",
        "orjson",
    }


def test_built_again_it_has_the_same_files(images: Images, files: bytes) -> None:
    options = ("--file", images.folder / "Dockerfile.serve", "--no-cache")
    options += ("--build-arg", f"COMMIT={COMMIT}")
    images.engine.build("onnxlet-again", *options, images.folder)
    assert digests(exported(images, "onnxlet-again")) == digests(files)


def test_it_tells_its_version(images: Images) -> None:
    said = images.engine.docker("run", "--rm", *RESTRICTIONS, "onnxlet-serve", "--version")
    assert said.startswith("onnxlet ")
    assert f"commit {COMMIT}\nPython 3.13" in said
    assert "\nonnxruntime " in said


def test_its_other_commands(images: Images, trained: Path) -> None:
    volume = ("--volume", f"{trained}/models:/models:ro")
    command = ("run", "--rm", *RESTRICTIONS, *volume, "onnxlet-serve")
    said = images.engine.docker(*command, "check")
    assert "mnist version 1 can be served" in said
    assert "number kernel: on" in said
    examples = ("--volume", f"{images.folder}/examples:/examples:ro")
    predict = (*command[:-1], *examples, "onnxlet-serve", "predict", "/examples/digits.json")
    predicted = json.loads(images.engine.docker(*predict))["predictions"]
    assert len(predicted) == 3
    assert set(predicted) <= set(range(10))
    shell = ("run", "--rm", "--entrypoint", "/bin/sh", "onnxlet-serve", "-c", "true")
    assert "no such file or directory" in images.engine.docker(*shell, check=False)


def test_every_client_can_talk_to_it(
    images: Images,
    trained: Path,
    table_repository: Path,
    work: Path,
    digits: Digits,
    tmp_path: Path,
) -> None:
    """The calls of the suite's own black-box tests, all of them."""
    models = shutil.copytree(trained / "models", tmp_path / "models")
    shutil.copytree(table_repository / "people", models / "people")
    (models / "mnist/labels.json").write_text('{"stable": 1}')
    keys = tmp_path / "keys"
    keys.write_text(f"{hashlib.sha256(ADMIN_KEY.encode()).hexdigest()} admin\n")
    options = ("--volume", f"{readable(keys)}:/keys:ro")
    settings = {"SERVE_ADMIN_KEYS": "/keys", "SERVE_DEFAULT_MODEL": "mnist"}
    with Container(images.engine, readable(models), *options, **settings) as served:
        print(f"ready after {served.seconds:.2f} s")
        body = json.dumps({"images": digits.images[:4].tolist()}).encode()
        expected = served.request("POST", "/predict", body).json()["predictions"]
        for client, python in CALLS.items():
            done = run(
                *(python, "-m", f"tests.wire.{client}_calls"),
                *(f"http://127.0.0.1:{served.port}", work / "subset.npz", json.dumps(expected)),
            )
            assert done.returncode == 0, done.stderr
            results = json.loads(done.stdout.splitlines()[-1])
            assert {name: why for name, why in results.items() if why} == {}


def test_it_needs_no_network(images: Images, trained: Path) -> None:
    command = ("run", "--detach", *RESTRICTIONS, "--network", "none")
    volume = ("--volume", f"{trained}/models:/models:ro")
    started = images.engine.docker(*command, *volume, "onnxlet-serve").strip()
    try:
        until = time.monotonic() + 30
        while images.engine.docker("exec", started, *HEALTH, check=False):
            assert time.monotonic() < until, images.engine.docker("logs", started)
            time.sleep(0.1)
    finally:
        images.engine.docker("rm", "--force", started)


HEALTH = ("/usr/bin/python3", "-m", "serve", "health")


def test_the_largest_batches_fit_into_its_memory(images: Images, trained: Path) -> None:
    """As many rows as a request may have, with all digits that a number can have."""
    rows = np.random.default_rng(1).uniform(1, 10, (1024, 784))
    body = json.dumps({"images": rows.tolist()}).encode()
    assert 13e6 < len(body) < 16 * 2**20
    with Container(images.engine, trained / "models") as served:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            asked = [pool.submit(served.request, "POST", "/predict", body) for _ in range(40)]
            statuses = {answer.result().status for answer in asked}
        code = (
            "from pathlib import Path; found = [*Path('/sys/fs/cgroup').rglob('memory.events'),"
            " *Path('/sys/fs/cgroup').rglob('memory.oom_control')]; print(found[0].read_text())"
        )
        events = served.run_inside("/usr/bin/python3", "-c", code)
        state = served.state()
    assert statuses <= {200, 429}
    assert 200 in statuses
    assert re.search(r"^oom_kill 0$", events, re.MULTILINE), events
    assert (state["OOMKilled"], state["Status"]) == (False, "running")


def test_it_finishes_what_it_has_when_it_is_stopped(images: Images, slow_repository: Path) -> None:
    one_by_one = {"SERVE_MAX_BATCH_ROWS": "1"}  # so that it takes seconds
    with Container(images.engine, readable(slow_repository), **one_by_one) as served:
        body = json.dumps({"instances": np.zeros((1, 784)).tolist()}).encode()

        def ask() -> tuple[int, float]:
            answer = served.request("POST", "/v1/models/slow:predict", body)
            return answer.status, time.monotonic()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask) for _ in range(8)]
            assert eventually(lambda: in_flight(served) + sum(one.done() for one in asked) >= 8)
            stopped = time.monotonic()
            served.docker("stop", "--time", "30")
            answers = [one.result() for one in asked]
        assert {status for status, _ in answers} == {200}
        assert max(when for _, when in answers) > stopped
        state = served.state()
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)


def in_flight(served: Container) -> int:
    """Requests for inference that the server has accepted and not answered."""
    metrics = served.request("GET", "/metrics").body.decode()
    found = re.search(r"^onnxlet_requests_in_flight(?:\{.*\})? (\d+)", metrics, re.MULTILINE)
    assert found, metrics
    return int(found[1])


def test_it_comes_back_after_it_was_killed(images: Images, trained: Path) -> None:
    with Container(images.engine, trained / "models") as served:
        served.docker("kill")
        assert served.state()["ExitCode"] == 128 + signal.SIGKILL
        served.docker("start")
        served.wait()
        assert served.request("GET", "/v2/health/ready").status == 200


def test_a_model_can_be_baked_in(images: Images, trained: Path, source: Path) -> None:
    context = shutil.copytree(source, source.parent / f"{source.name}-baked")
    shutil.copytree(trained / "models", context / "chosen")
    options = ("--file", context / "Dockerfile.serve")
    build = ("--build-arg", "MODELS=chosen", "--build-arg", f"COMMIT={COMMIT}")
    images.engine.build("onnxlet-baked", *options, *build, context)
    said = images.engine.docker("run", "--rm", *RESTRICTIONS, "onnxlet-baked", "check")
    assert "mnist version 1 can be served" in said
