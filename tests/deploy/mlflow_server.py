"""MLflow's server, started with the arguments and variables of its Deployment."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.conftest import free_port
from tests.deploy import manifests
from tests.deploy.manifests import Manifest
from tests.servers import object_store, other

_OVERLAY = "overlays/production"
_SECRETS = {"onnxlet-postgresql": {"password": "hidden"}, "onnxlet-artifacts": object_store.KEYS}


def container() -> Manifest:
    """The container of the Deployment."""
    found = manifests.containers(_OVERLAY, "onnxlet-train")
    (server,) = (one for one in found if one["name"] == "mlflow")
    return server


def variables() -> dict[str, str]:
    """Those that Kubernetes gives to the container."""
    maps = {one["metadata"]["name"]: one for one in manifests.of_kind(_OVERLAY, "ConfigMap")}
    found: dict[str, str] = {}
    for source in container()["envFrom"]:
        if "configMapRef" in source:
            found |= maps[source["configMapRef"]["name"]]["data"]
        else:
            found |= _SECRETS[source["secretRef"]["name"]]
    for one in container()["env"]:
        if "valueFrom" in one:
            secret = one["valueFrom"]["secretKeyRef"]
            found[one["name"]] = _SECRETS[secret["name"]][secret["key"]]
        else:
            found[one["name"]] = re.sub(r"\$\((\w+)\)", lambda name: found[name[1]], one["value"])
    return found


def bucket() -> str:
    """Where artifacts go."""
    destination = urlsplit(variables()["MLFLOW_ARTIFACTS_DESTINATION"])
    assert destination.scheme == "s3"
    return destination.netloc


@contextmanager
def running(database: str, store: str) -> Iterator[str]:
    """Run it on this machine, on a server of PostgreSQL (HOST:PORT) and an object store (URL)."""
    port = free_port()
    ours = {"--host=0.0.0.0": "--host=127.0.0.1", "--port=5000": f"--port={port}"}
    command = [sys.executable, "-m", *_replaced(container()["args"], ours)]
    environment = variables()
    environment["MLFLOW_S3_ENDPOINT_URL"] = store
    address = environment["MLFLOW_BACKEND_STORE_URI"]
    assert "@onnxlet-postgresql/" in address
    environment["MLFLOW_BACKEND_STORE_URI"] = address.replace(
        "@onnxlet-postgresql/", f"@{database}/"
    )
    with other.started(command, port, **environment) as url:
        yield url


def _replaced(arguments: list[str], ours: Mapping[str, str]) -> list[str]:
    assert ours.keys() <= {*arguments}
    return [ours.get(one, one) for one in arguments]
