"""The serving image, started and called as SageMaker does it.

Source: docs.aws.amazon.com/sagemaker/latest/dg, "Custom Inference Code with Hosting Services" and
"Real-time Predictions with an Inference Pipeline".
"""

import http.client
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, Digits
from tests.images.conftest import Images, readable
from tests.images.container import Container
from tests.images.engine import Engine
from tests.servers.processes import eventually

SECTION = (
    (ROOT / "docs/deploy.md").read_text().partition("\n## SageMaker\n")[2].partition("\n## ")[0]
)
PING_SECONDS = 2.0
STOP_SECONDS = 30
CHOSEN_PORT = 9001


class Endpoint(Container):
    """`docker run IMAGE serve`, with an unpacked model and the variables of `create-model`."""

    def __init__(self, engine: Engine, model: Path, port: int = 8080, **variables: str) -> None:
        """Have the container listen on ``port``, which is 8080 unless the variables change it."""
        super().__init__(engine, model)
        self._command = [
            *("run", "--detach", "--volume", f"{model}:/opt/ml/model:ro"),
            *("--publish", f"127.0.0.1:{self.port}:{port}"),
            *(f"--env={name}={value}" for name, value in variables.items()),
            *("onnxlet-serve", "serve"),
        ]

    def wait(self) -> None:
        assert eventually(self.is_well), self.docker("logs")

    def is_well(self) -> bool:
        """Is the answer to a ping what SageMaker wants, in the time that it allows?"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PING_SECONDS)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@pytest.fixture(scope="module")
def model(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that docs/deploy.md makes, unpacked."""
    (command,) = re.findall(r"^tar .*", SECTION, re.MULTILINE)
    folder = tmp_path_factory.mktemp("sagemaker")
    (folder / "models").symlink_to(repository)
    subprocess.run(shlex.split(command), cwd=folder, check=True)
    unpacked = folder / "model"
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", folder / "model.tar.gz", "-C", unpacked], check=True)
    return readable(unpacked)


def variables() -> dict[str, str]:
    """Those that docs/deploy.md gives to `create-model`."""
    (given,) = re.findall(r"Environment={(.*)}", SECTION)
    return dict(pair.split("=") for pair in given.split(","))


@pytest.fixture(scope="module")
def endpoint(images: Images, model: Path) -> Iterator[Endpoint]:
    with Endpoint(images.engine, model, **variables()) as running:
        yield running


@pytest.mark.parametrize("kind", ["application/json", "text/csv"])
def test_invocations(endpoint: Endpoint, digits: Digits, kind: str) -> None:
    rows = digits.images[:200]
    header = ",".join(f"pixel{place}" for place in range(rows.shape[1]))
    bodies = {
        "application/json": json.dumps({"instances": rows.tolist()}),
        "text/csv": "\n".join([header, *(",".join(map(str, row)) for row in rows)]),
    }
    body = bodies[kind].encode()
    headers = {"content_type": kind, "accept": "application/json"}
    answer = endpoint.request("POST", "/invocations", body, **headers)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    logits = np.array(answer.json()["predictions"])
    assert np.mean(logits.argmax(1) == digits.labels[:200]) > 0.75


def test_batch_transform_finds_no_parameters(endpoint: Endpoint) -> None:
    """It asks for them before it begins, and uses its own after a 404."""
    assert endpoint.request("GET", "/execution-parameters").status == 404


def test_the_model_cannot_be_changed(endpoint: Endpoint) -> None:
    (mount,) = json.loads(endpoint.docker("inspect"))[0]["Mounts"]
    assert (mount["Destination"], mount["RW"]) == ("/opt/ml/model", False)
    assert endpoint.is_well()


def test_a_container_of_a_pipeline_listens_on_the_port_that_it_is_given(
    images: Images, model: Path
) -> None:
    """Containers of a pipeline share a network. SageMaker looks for the label first."""
    form = '{{index .Config.Labels "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"}}'
    assert images.engine.docker("inspect", "--format", form, "onnxlet-serve").strip() == "true"
    chosen = {"SAGEMAKER_BIND_TO_PORT": str(CHOSEN_PORT), "SAGEMAKER_SAFE_PORT_RANGE": "9002-9100"}
    with Endpoint(images.engine, model, CHOSEN_PORT, **variables(), **chosen) as running:
        assert running.run_inside("/usr/bin/python3", "-m", "serve", "health") == ""
        assert listening(running) == {CHOSEN_PORT}


def listening(container: Container) -> set[int]:
    """The TCP ports on which the container accepts connections."""
    code = (
        "from pathlib import Path;"
        "print(*(Path('/proc/net/' + name).read_text() for name in ('tcp', 'tcp6')), sep='\\n')"
    )
    table = container.run_inside("/usr/bin/python3", "-c", code)
    return {
        int(port, 16) for port in re.findall(r"^ *\d+: \w+:(\w+) \w+:0000 0A", table, re.MULTILINE)
    }


def test_it_ends_before_sagemaker_kills_it(images: Images, model: Path) -> None:
    with Endpoint(images.engine, model, **variables()) as running:
        running.docker("stop", "--time", str(STOP_SECONDS))
        assert running.state()["ExitCode"] == 0
