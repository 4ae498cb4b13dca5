"""Ports, paths, settings, labels and metrics in deploy/kubernetes/ are those of the code."""

import json
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
import yaml

from export import export_arguments
from serve import command_line
from serve.api import routes
from serve.settings import Settings
from serve.telemetry import metrics
from tests.conftest import ROOT, run
from tests.deploy import manifests
from tests.deploy.manifests import KUBERNETES, ON_DEMAND, OVERLAYS
from train import run_arguments
from train.sweep import sweep_arguments

ALL = (*OVERLAYS, *ON_DEMAND)
DOCKERFILE = (ROOT / "Dockerfile.serve").read_text()
VARIABLES = {command_line.variable(field.name) for field in fields(Settings)}


def serving() -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each pod of the server in an overlay, and its container."""
    return [
        (pod, container)
        for name in OVERLAYS
        for pod in manifests.pods(name)
        for container in pod["spec"]["containers"]
        if container["name"] == "serve"
    ]


def loaded(container: Mapping[str, Any]) -> Settings:
    """What the server makes of the container's environment and arguments."""
    environment = {one["name"]: one["value"] for one in container.get("env", ())}
    assert {name for name in environment if name.startswith("SERVE_")} <= VARIABLES
    return command_line.load(container.get("args", []), environment)


def test_every_overlay_serves() -> None:
    assert len(serving()) == len(OVERLAYS)


def test_ports_and_the_user_are_those_of_the_image() -> None:
    for pod, container in serving():
        (port,) = container["ports"]
        assert port["containerPort"] == loaded(container).port
        assert f"EXPOSE {port['containerPort']}\n" in DOCKERFILE
        security = pod["spec"]["securityContext"]
        assert f"USER {security['runAsUser']}:{security['runAsGroup']}\n" in DOCKERFILE
        assert pod["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])


def test_probes_ask_what_the_server_answers() -> None:
    wanted = {"startupProbe": "ready", "readinessProbe": "ready", "livenessProbe": "live"}
    over_http = 0
    for _, container in serving():
        for probe, operation in wanted.items():
            if "httpGet" in container[probe]:
                found = routes.match("GET", container[probe]["httpGet"]["path"])
                assert found
                assert found[0].operation == operation
                assert container[probe]["httpGet"]["port"] == container["ports"][0]["name"]
                over_http += 1
            else:
                *entry_point, command = container[probe]["exec"]["command"]
                quoted = ", ".join(f'"{word}"' for word in entry_point)
                assert f"ENTRYPOINT [{quoted}]\n" in DOCKERFILE
                assert command_line.load_command([command], {})[0] == "health"
    assert over_http == 7  # all in production, and readiness in single-node


def test_a_pod_that_ends_has_time_to_drain() -> None:
    for pod, container in serving():
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        own = loaded(container)
        needed = pause + own.drain_delay + own.drain_timeout
        assert needed < pod["spec"]["terminationGracePeriodSeconds"] <= needed + 15
        readiness = container["readinessProbe"]
        assert pause >= readiness["periodSeconds"] * readiness["failureThreshold"]


def test_metrics_exist() -> None:
    known = {
        *(value.name for value in vars(metrics).values() if isinstance(value, metrics.Definition))
    }
    for pod, _ in serving():
        found = routes.match("GET", pod["metadata"]["annotations"]["prometheus.io/path"])
        assert found
        assert found[0].operation == "metrics"
    (scaler,) = manifests.of_kind("overlays/in-flight", "HorizontalPodAutoscaler")
    (metric,) = scaler["spec"]["metrics"]
    adapter = (KUBERNETES / "overlays/in-flight/prometheus-adapter.yaml").read_text()
    (rule,) = yaml.safe_load(adapter)["rules"]["custom"]
    assert rule["name"]["as"] == metric["pods"]["metric"]["name"]
    assert rule["seriesQuery"].partition("{")[0] in known
    assert metric["pods"]["metric"]["name"] in known


def test_the_ingress_leads_to_what_is_public() -> None:
    (ingress,) = manifests.of_kind("overlays/production", "Ingress")
    (rule,) = ingress["spec"]["rules"]
    paths = {path["path"]: path["pathType"] for path in rule["http"]["paths"]}
    for path, kind in paths.items():
        matching = [route for route in routes.ROUTES if public(route.path, {path: kind})]
        assert matching, path
    hidden = {route.operation for route in routes.ROUTES if not public(route.path, paths)}
    assert {"metrics", "load", "unload"} <= hidden
    served = [route for route in routes.ROUTES if route.operation == "infer"]
    assert all(public(route.path, paths) for route in served)


def public(route: str, paths: Mapping[str, str]) -> bool:
    """Does an Ingress with these paths let a route through?"""
    for path, kind in paths.items():
        if route == path or (kind == "Prefix" and route.startswith(f"{path}/")):
            return True
    return False


@pytest.mark.parametrize("name", ALL)
def test_selectors_choose_pods(name: str) -> None:
    pods = list(manifests.pods(name))
    labels = [pod["metadata"]["labels"] for pod in pods]
    for manifest in manifests.read(name):
        spec = manifest.get("spec", {})
        selector = spec.get("podSelector", spec.get("selector"))
        if selector is None:
            continue
        chosen = [
            pod for pod, own in zip(pods, labels, strict=True) if manifests.matches(selector, own)
        ]
        assert chosen, f"{manifest['kind']} {manifest['metadata']['name']}"
        if manifest["kind"] == "Service":
            (port,) = spec["ports"]
            assert port["targetPort"] in port_names(chosen[0])


def port_names(pod: Mapping[str, Any]) -> set[str]:
    ports = (port for one in pod["spec"]["containers"] for port in one.get("ports", ()))
    return {port["name"] for port in ports}


@pytest.mark.parametrize("name", ALL)
def test_every_claim_is_there(name: str) -> None:
    claims = {one["metadata"]["name"] for one in manifests.of_kind(name, "PersistentVolumeClaim")}
    if name in ON_DEMAND:
        claims |= {"onnxlet-models"}
    for pod in manifests.pods(name):
        for volume in pod["spec"].get("volumes", ()):
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims


def test_training_understands_its_arguments() -> None:
    for name in OVERLAYS:
        used = list(manifests.containers(name, "onnxlet-train"))
        train = [one["args"] for one in used if one.get("args", [""])[0] == "train"]
        assert len(train) == 2  # in the Job and in the CronJob
        for arguments in train:
            run_arguments.parse(arguments[1:])
        (script,) = {one["args"][0] for one in used if one.get("command", [""])[0] == "/bin/sh"}
        exported = re.findall(r"/venv/bin/python -m export ([^\n)]*)", script)
        parsed = [
            export_arguments.parse(shlex.split(line.replace('"${published##*/}"', "1")))
            for line in exported
        ]
        assert [one.command for one in parsed] == ["", "promote", "traffic"]
    (worker,) = manifests.containers("search", "onnxlet-train")
    assert worker["args"][:2] == ["train", "sweep"]
    sweep_arguments.parse(worker["args"][2:])


def test_locust_understands_its_arguments() -> None:
    """In a process of its own, since Locust patches the one that imports it."""
    given = [one["args"] for one in manifests.containers("load", "onnxlet-bench")]
    assert len(given) == 2
    code = (
        "import json, sys; from benchmarks import locustfile;"
        "from locust.argument_parser import parse_options;"
        "[parse_options(arguments) for arguments in json.loads(sys.argv[1])]"
    )
    done = run(sys.executable, "-c", code, json.dumps(given))
    assert done.returncode == 0, done.stderr


def test_a_replica_in_a_swarm_has_time_to_drain() -> None:
    stack = yaml.safe_load((ROOT / "deploy/swarm/stack.yaml").read_text())
    serve = stack["services"]["serve"]
    assert serve["environment"].keys() <= VARIABLES
    own = command_line.load([], serve["environment"])
    grace = float(serve["stop_grace_period"].removesuffix("s"))
    assert own.drain_delay + own.drain_timeout < grace
    *entry_point, command = serve["healthcheck"]["test"][1:]
    assert "ENTRYPOINT [" + ", ".join(f'"{word}"' for word in entry_point) + "]" in DOCKERFILE
    assert command_line.load_command([command], {})[0] == "health"


def test_replicas_that_share_cpus_are_not_pinned() -> None:
    """Either the quota says so, or a setting does."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["replica"]
    assert not command_line.load([], compose["environment"]).pin
    stack = yaml.safe_load((ROOT / "deploy/swarm/stack.yaml").read_text())["services"]["serve"]
    assert float(stack["deploy"]["resources"]["limits"]["cpus"]) <= 1
    for name in OVERLAYS:
        for container in manifests.containers(name, "onnxlet-serve"):
            assert container["resources"]["limits"]["cpu"] == "1"
