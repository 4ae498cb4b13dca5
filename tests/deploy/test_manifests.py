"""deploy/kubernetes/: valid for a stated version of Kubernetes, and by rules of good practice."""

import json
from pathlib import Path

import pytest
import yaml

from export import export_arguments
from tests.conftest import run
from tests.deploy import manifests
from tests.deploy.manifests import COMPONENTS, KUBERNETES, ON_DEMAND, OVERLAYS, PROGRAMS

VERSION = "1.37.0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything, rendered."""
    made = tmp_path_factory.mktemp("rendered")
    for name in (*OVERLAYS, *ON_DEMAND):
        (made / f"{Path(name).name}.yaml").write_text(manifests.rendered(name))
    return made


def validated(*files: Path) -> tuple[int, str]:
    """Exit status and output of the validator, which refuses unknown fields too."""
    done = run(PROGRAMS / "kubernetes-validate", "--strict", "-k", VERSION, *files)
    return done.returncode, done.stdout + done.stderr


def test_kubernetes_accepts_everything(folder: Path, tmp_path: Path) -> None:
    files = list(folder.iterdir())
    for name in COMPONENTS:
        place = tmp_path / Path(name).name
        place.mkdir()
        files.append(place / "rendered.yaml")
        files[-1].write_text(manifests.with_component(name, place))
    status, said = validated(*files)
    assert status == 0, said
    rendered = (*OVERLAYS, *ON_DEMAND, *(["base"] * len(COMPONENTS)))
    assert said.count("passed") == sum(len(manifests.read(name)) for name in rendered)


def test_components_replace_the_volume_of_the_models(tmp_path: Path) -> None:
    sources = {"components/models-image": "image", "components/models-pull": "emptyDir"}
    assert sources.keys() == set(COMPONENTS)
    for name, source in sources.items():
        place = tmp_path / source
        place.mkdir()
        documents = list(yaml.safe_load_all(manifests.with_component(name, place)))
        (pod,) = (one["spec"]["template"] for one in documents if one["kind"] == "Deployment")
        (models,) = (one for one in pod["spec"]["volumes"] if one["name"] == "models")
        assert models.keys() == {"name", source}
        for container in pod["spec"].get("initContainers", ()):
            assert container["args"][0] == "export"
            wanted = export_arguments.parse(container["args"][1:])
            assert (wanted.command, wanted.models) == ("pull", Path("/models"))


def test_a_misspelt_field_is_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(manifests.rendered("base").replace("readinessProbe", "readynessProbe"))
    status, said = validated(wrong)
    assert status != 0
    assert "readynessProbe" in said


def test_good_practice_with_no_exception_but_those_that_are_explained(folder: Path) -> None:
    rules = yaml.safe_load((KUBERNETES / "checkov.yaml").read_text())
    done = run(
        *(PROGRAMS / "checkov", "--framework", "kubernetes", "--skip-download"),
        *("--directory", folder, "--output", "json"),
    )
    result = json.loads(done.stdout)
    assert result["summary"]["passed"] > 500
    failed = {check["check_id"] for check in result["results"]["failed_checks"]}
    assert failed == set(rules["skip-check"])


def test_artifacts_of_a_single_node_are_kept_on_a_volume() -> None:
    (config,) = (
        one["data"]
        for one in manifests.of_kind("overlays/single-node", "ConfigMap")
        if one["metadata"]["name"].startswith("onnxlet-artifacts")
    )
    (mlflow,) = (
        one["spec"]["template"]["spec"]
        for one in manifests.of_kind("overlays/single-node", "Deployment")
        if one["metadata"]["name"] == "onnxlet-mlflow"
    )
    assert Path(config["MLFLOW_ARTIFACTS_DESTINATION"]).parent == Path("/workspace")
    workspace = {"name": "workspace", "persistentVolumeClaim": {"claimName": "onnxlet-artifacts"}}
    assert workspace in mlflow["volumes"]


def test_production_names_versions_of_images() -> None:
    for pod in manifests.pods("overlays/production"):
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            assert not container["image"].endswith(":latest")
