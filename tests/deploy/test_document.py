"""docs/deploy.md names what there is, and all of it."""

import re

import yaml

from tests.conftest import ROOT
from tests.deploy import manifests
from tests.deploy.manifests import KUBERNETES, ON_DEMAND, OVERLAYS

TEXT = (ROOT / "docs/deploy.md").read_text()


def test_every_alert_is_in_the_table() -> None:
    rules = yaml.safe_load((ROOT / "deploy/monitoring/rules.yml").read_text())["groups"]
    alerts = [rule["alert"] for group in rules for rule in group["rules"] if "alert" in rule]
    assert re.findall(r"^\| (Onnxlet\w+) \|", TEXT, re.MULTILINE) == alerts


def test_every_secret_is_made() -> None:
    made = set(re.findall(r"create secret generic ([\w-]+)", TEXT))
    used = {secret for name in (*OVERLAYS, *ON_DEMAND) for secret in secrets(name)}
    assert used == made | {"onnxlet-tls"}  # which an Ingress gets from cert-manager, or by hand


def secrets(name: str) -> set[str]:
    """The secrets that a folder's manifests need, and do not make themselves."""
    text = manifests.rendered(name)
    used = set(re.findall(r"secretKeyRef:\n +key: \S+\n +name: (\S+)", text))
    used |= set(re.findall(r"secretRef:\n +name: (\S+)", text))
    used |= set(re.findall(r"secretName: (\S+)", text))
    return used - {secret["metadata"]["name"] for secret in manifests.of_kind(name, "Secret")}


def test_every_folder_is_described() -> None:
    described = set(re.findall(r"^\| `([\w/-]+)` \| ", TEXT, re.MULTILINE))
    folders = {
        str(path.parent.relative_to(KUBERNETES)) for path in KUBERNETES.rglob("kustomization.yaml")
    }
    assert {name for name in described if name.partition("/")[0] not in ("deploy", "compose")} == {
        name for name in folders if not name.startswith(("kserve", "namespace"))
    }


def test_every_path_exists() -> None:
    paths = set(re.findall(r"\bdeploy/[\w./-]*\w", TEXT))
    assert len(paths) > 8
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
