"""The Deployment of deploy/kubernetes/base, run by podman from its own file."""

import json
import shutil
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, Digits
from tests.images import podman
from tests.images.conftest import USER, Images, readable
from tests.images.podman import Podman
from tests.servers.processes import eventually

DEPLOYMENT = ROOT / "deploy/kubernetes/base/deployment.yaml"


@pytest.fixture(scope="module")
def pod(
    images: Images, trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Podman, str]]:
    """podman, and the name of the container that it made of the Deployment."""
    if not podman.can_run():
        pytest.skip("podman is only run as root")
    folder = tmp_path_factory.mktemp("podman")
    images.engine.docker("save", "--output", folder / "image.tar", "onnxlet-serve")
    with Podman(folder) as running:
        running("load", "--input", folder / "image.tar")
        running("volume", "create", "onnxlet-models")
        mount = running("volume", "inspect", "--format", "{{.Mountpoint}}", "onnxlet-models")
        models = shutil.copytree(trained / "models", mount.strip(), dirs_exist_ok=True)
        readable(Path(models))
        running("kube", "play", DEPLOYMENT)
        yield running, running("ps", "--format", "{{.Names}}", "--filter", "name=-serve$").strip()


def inspected(pod: tuple[Podman, str]) -> dict[str, Any]:
    running, name = pod
    return dict(json.loads(running("inspect", name))[0])


def test_it_answers_digits(pod: tuple[Podman, str], digits: Digits) -> None:
    running, _ = pod
    infra = running("ps", "--all", "--format", "{{.Names}}", "--filter", "name=infra$").strip()
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = running("inspect", "--format", form, infra).strip()
    assert eventually(lambda: ask(address, "GET", "/v2/health/ready") == {"ready": True})
    body = json.dumps({"images": digits.images[:200].tolist()})
    predicted = ask(address, "POST", "/predict", body)["predictions"]
    right = sum(int(a == b) for a, b in zip(predicted, digits.labels[:200], strict=True))
    assert right > 150


def ask(address: str, method: str, path: str, body: str | None = None) -> Any:
    """The answer; None as long as nobody listens."""
    connection = HTTPConnection(address, 8080, timeout=10)
    try:
        connection.request(method, path, body)
        return json.load(connection.getresponse())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def test_the_command_of_the_probes_passes(pod: tuple[Podman, str]) -> None:
    """podman before version 5 runs it by a shell, which the image does not have; this does not."""
    running, name = pod
    (found,) = yaml.safe_load(DEPLOYMENT.read_text())["spec"]["template"]["spec"]["containers"]
    command = found["livenessProbe"]["exec"]["command"]
    assert running("exec", name, *command) == ""
    with pytest.raises(RuntimeError, match="does not answer"):
        running("exec", "--env", "SERVE_PORT=1", name, *command)


def test_probes_pass(pod: tuple[Podman, str]) -> None:
    running, name = pod
    version = running("version", "--format", "{{.Client.Version}}")
    if int(version.partition(".")[0]) < 5:
        pytest.skip("podman before version 5 runs probes by a shell")
    running("healthcheck", "run", name)
    assert inspected(pod)["State"]["Health"]["Status"] == "healthy"


def test_limits_and_restrictions_hold(pod: tuple[Podman, str]) -> None:
    found = inspected(pod)
    assert found["HostConfig"]["Memory"] == 256 * 2**20
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["EffectiveCaps"] in ([], None)
    assert found["Config"]["User"] == f"{USER}:{USER}"
    mounts = {mount["Destination"]: mount["RW"] for mount in found["Mounts"]}
    assert mounts == {"/models": False, "/tmp": True}  # noqa: S108


def test_it_drains_and_ends(pod: tuple[Podman, str]) -> None:
    running, name = pod
    running("stop", name)
    assert inspected(pod)["State"]["ExitCode"] == 0
