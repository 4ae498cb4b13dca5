"""The peers: how each is installed, started with two workers, asked and understood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson

from benchmarks.load.protocols import DIALECTS


def _of_pyfunc(body: bytes, rows: int) -> list[int]:
    """Of MLflow's own server, which names the model's outputs."""
    scores = np.reshape(orjson.loads(body)["predictions"]["probabilities"], (rows, -1))
    classes: list[int] = scores.argmax(1).tolist()
    return classes


@dataclass(frozen=True)
class Peer:
    """One server that is measured beside ours."""

    title: str
    package: str
    """Whose version is told."""
    command: str
    """Run in the peer's environment, from the project's root. ``{port}`` is its port, ``{python}``
    its interpreter, ``{model}`` the published model's folder and ``{version}`` the newest there."""
    settings: str
    """Where they come from."""
    ready: str = "/ready"
    """What answers with 200 as soon as the model does."""
    dialect: str = "predict"
    """In which it is asked."""
    path: str = "/predict"
    classes: Callable[[bytes, int], list[int]] = DIALECTS["predict"].classes
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    """Of its environment, where that is not the one of its name below ``build/peers``."""


PEERS: Mapping[str, Peer] = {
    "fastapi": Peer(
        "FastAPI + uvicorn + orjson",
        "fastapi",
        "{python} -m uvicorn --workers 2 --port {port} --no-access-log --log-level warning"
        " benchmarks.peers.fastapi_app:app",
        "FastAPI's docs, Server Workers: two",
    ),
    "asgi": Peer(
        "uvicorn, bare ASGI + simdjson",
        "uvicorn",
        "{python} -m uvicorn --workers 2 --port {port} --lifespan off --no-access-log"
        " --log-level warning benchmarks.peers.asgi_app:app",
        "uvicorn's docs, Deployment: two workers; uvloop and httptools",
    ),
    "mosec": Peer(
        "Mosec",
        "mosec",
        "{python} -m benchmarks.peers.mosec_app --address 127.0.0.1 --port {port}"
        " --log-level warning",
        "Mosec's README: two workers, a CPU each",
        ready="/metrics",
        path="/inference",
    ),
    "mlserver": Peer(
        "MLServer",
        "mlserver",
        "mlserver start {model}",
        "MLServer's docs, Parallel Inference: two workers",
        ready="/v2/models/mnist/ready",
        dialect="oip",
        path="/v2/models/mnist/infer",
        classes=DIALECTS["oip"].classes,
        environment={
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": "{port}",
            "MLSERVER_PARALLEL_WORKERS": "2",
        },
        folder="build/mlserver",
    ),
    "bentoml": Peer(
        "BentoML",
        "bentoml",
        "{python} -m bentoml serve benchmarks.peers.bentoml_app:Digits --host 127.0.0.1"
        " --port {port}",
        "BentoML's docs, Workers: two",
        ready="/readyz",
        environment={"BENTOML_DO_NOT_TRACK": "True"},
    ),
    "litserve": Peer(
        "LitServe",
        "litserve",
        "{python} -m benchmarks.peers.litserve_app {port}",
        "LitServe's docs: two workers_per_device",
        ready="/health",
    ),
    "ray": Peer(
        "Ray Serve",
        "ray",
        "{python} -m benchmarks.peers.ray_app {port}",
        "Ray's docs, Serve: two replicas, a CPU each",
        ready="/-/healthz",
        environment={"RAY_USAGE_STATS_ENABLED": "0"},
    ),
    "naive": Peer(
        "Flask + waitress, naively",
        "flask",
        "{python} -m waitress --listen 127.0.0.1:{port} benchmarks.peers.naive_app:app",
        "waitress-serve's defaults: one process, four threads",
    ),
    "mlflow": Peer(
        "mlflow models serve",
        "mlflow",
        "{python} -m mlflow models serve --model-uri {model}/{version} --env-manager local"
        " --workers 2 --port {port}",
        "MLflow's docs, Deploy Model Locally: two workers",
        ready="/ping",
        dialect="mlflow",
        path="/invocations",
        classes=_of_pyfunc,
    ),
    "course": Peer(
        "Flask's own server + Keras predict",
        "flask",
        "{python} -m flask --app benchmarks.peers.course_app run --port {port}",
        "the course project as it was handed in",
        environment={"TF_CPP_MIN_LOG_LEVEL": "2"},
    ),
}
