"""deploy/kubernetes/kserve: what KServe knows, and a server that is started as KServe would."""

import json
import subprocess
from pathlib import Path
from typing import Any

from serve import command_line
from serve.api import routes
from tests.conftest import ROOT, Digits, run
from tests.deploy import manifests
from tests.deploy.manifests import Manifest
from tests.servers.live import Server
from tests.wire.clients import CLIENTS

NAMES = ("kserve", "kserve-canary")


def faults(documents: list[Manifest]) -> list[str]:
    """What KServe's Python models say against them."""
    command = [str(CLIENTS), str(ROOT / "tests/deploy/kserve_models.py")]
    done = subprocess.run(
        command, input=json.dumps(documents), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_kserve_knows_every_field() -> None:
    documents = [document for name in NAMES for document in manifests.read(name)]
    assert len(documents) == 4
    wrong = json.loads(json.dumps(documents[-1]).replace('"storageUri"', '"storageUrl"'))
    assert faults([*documents, wrong]) == [
        "InferenceService.spec.predictor.model: unknown field storageUrl"
    ]


def container() -> Any:
    (runtime,) = manifests.of_kind("kserve", "ServingRuntime")
    (found,) = runtime["spec"]["containers"]
    return found


def test_the_canary_is_a_second_release_with_a_share_of_the_traffic() -> None:
    (stable,) = manifests.of_kind("kserve", "InferenceService")
    (canary,) = manifests.of_kind("kserve-canary", "InferenceService")
    before, after = stable["spec"]["predictor"], dict(canary["spec"]["predictor"])
    assert after.pop("canaryTrafficPercent") == 10
    assert before["model"].pop("storageUri") != after["model"].pop("storageUri")
    assert before == after
    (runtime,) = manifests.of_kind("kserve", "ServingRuntime")
    assert before["model"]["runtime"] == runtime["metadata"]["name"]
    assert before["model"]["protocolVersion"] in runtime["spec"]["protocolVersions"]


def test_probes_and_settings_are_those_of_the_server() -> None:
    found = container()
    settings = command_line.load(found["args"], {})
    assert settings.models == Path("/mnt/models")  # where KServe copies storageUri
    assert found["resources"]["limits"]["cpu"] == "1"  # so that nothing is pinned
    for probe, operation in (("readinessProbe", "ready"), ("livenessProbe", "live")):
        asked = found[probe]["httpGet"]
        route = routes.match("GET", asked["path"])
        assert route
        assert route[0].operation == operation
        assert asked["port"] == found["ports"][0]["containerPort"] == settings.port


def test_kserves_client_talks_to_a_server_with_these_arguments(
    repository: Path, work: Path, digits: Digits
) -> None:
    """KServe puts the name of the InferenceService and the copied files in their places."""
    (service,) = manifests.of_kind("kserve", "InferenceService")
    name = service["metadata"]["name"]
    arguments = [
        argument.replace("{{.Name}}", name).replace("/mnt/models", str(repository))
        for argument in container()["args"]
    ]
    with Server(*arguments) as running:
        answer = running.predict({"images": digits.images[:4].tolist()})
        assert answer.json()["model"] == name
        done = run(
            *(CLIENTS, "-m", "tests.wire.kserve_calls", f"http://127.0.0.1:{running.port}"),
            *(work / "subset.npz", json.dumps(answer.json()["predictions"])),
        )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1]).values()) == {""}
