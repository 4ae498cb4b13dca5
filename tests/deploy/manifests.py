"""The manifests of deploy/kubernetes/, as kustomize renders them."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT, run

KUBERNETES = ROOT / "deploy/kubernetes"
PROGRAMS = ROOT / "build/manifests/bin"
OVERLAYS = ("overlays/single-node", "overlays/production", "overlays/in-flight")
ON_DEMAND = ("search", "load")  # applied beside an overlay
COMPONENTS = ("components/models-image", "components/models-pull")
Manifest = Mapping[str, Any]


@functools.cache
def rendered(name: str) -> str:
    """YAML of a folder of deploy/kubernetes/."""
    done = run(PROGRAMS / "kubectl", "kustomize", KUBERNETES / name)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_component(name: str, folder: Path) -> str:
    """YAML of the base with a component, by a kustomization that is written into ``folder``."""
    for part in ("base", "components"):
        (folder / part).symlink_to(KUBERNETES / part)
    lines = ("resources: [base]", f"components: [{name}]")
    (folder / "kustomization.yaml").write_text("\n".join(lines))
    done = run(PROGRAMS / "kubectl", "kustomize", folder, "--load-restrictor=LoadRestrictionsNone")
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(name: str) -> list[Manifest]:
    """The rendered manifests of a folder."""
    return list(yaml.safe_load_all(rendered(name)))


def of_kind(name: str, kind: str) -> list[Manifest]:
    """Those of one kind."""
    return [manifest for manifest in read(name) if manifest["kind"] == kind]


def pods(name: str) -> Iterator[Manifest]:
    """The pod template of each workload, with ``metadata`` and ``spec``."""
    for manifest in read(name):
        spec = manifest.get("spec", {})
        if manifest["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            yield spec["template"]


def containers(name: str, image: str) -> Iterator[Manifest]:
    """The containers, also those that run before others, that use one of our images."""
    for pod in pods(name):
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            if container["image"].rpartition(":")[0].rpartition("/")[2] == image:
                yield container


def matches(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Does a label selector, or a Service's plain map, choose a pod with these labels?"""
    if not {"matchLabels", "matchExpressions"} & selector.keys():
        return selector.items() <= labels.items()
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        one["operator"] == "In" and labels.get(one["key"]) in one["values"]
        for one in selector.get("matchExpressions", ())
    )
