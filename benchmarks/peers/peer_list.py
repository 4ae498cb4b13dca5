"""The peers: how each is installed, started, asked and understood."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.load.protocols import PROTOCOLS, Model


@dataclass(frozen=True)
class Peer:
    """A server that ours is compared with.

    In ``command``, ``ready``, ``path`` and ``environment``, ``{port}`` stands for its port,
    ``{python}`` for its interpreter, ``{model}`` for the folder of the published model, ``{name}``
    for its name, ``{version}`` for the newest version, and ``{workers}`` for the number of workers.
    """

    title: str
    package: str
    """Whose version is shown."""
    command: str
    """Run in the peer's environment, from the project's root."""
    settings: str
    """Where they come from."""
    ready: str = "/ready"
    """Path that answers with 200 once the model is loaded."""
    protocol: str = "predict"
    """Of the requests."""
    path: str = "/predict"
    outputs: Callable[[bytes, Model], list[Any]] = PROTOCOLS["predict"].outputs
    """See ``Protocol.outputs``."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    """Of its environment, if not that of its name below ``build/peers``."""
    is_for_tables: bool = False
    """Is it compared with ``--table``, and only then?"""
    needs_keras: bool = False
    """Whether it loads the Keras model instead of the ONNX model."""


def _of_pyfunc(body: bytes, model: Model) -> list[Any]:
    """Of MLflow's own server, which always names the outputs."""
    predictions = orjson.loads(body)["predictions"]
    return [predictions[name] for name in model.outputs]


PEERS: Mapping[str, Peer] = {
    "fastapi": Peer(
        "FastAPI + uvicorn + orjson",
        "fastapi",
        "{python} -m uvicorn --workers {workers} --port {port} --no-access-log --log-level warning"
        " benchmarks.peers.fastapi_app:app",
        "FastAPI's docs, Server Workers",
    ),
    "pydantic": Peer(
        "FastAPI + uvicorn + pydantic",
        "fastapi",
        "{python} -m uvicorn --workers {workers} --port {port} --no-access-log --log-level warning"
        " benchmarks.peers.pydantic_app:app",
        "FastAPI's docs, Request Body and Server Workers",
        folder="build/peers/fastapi",
        is_for_tables=True,
    ),
    "asgi": Peer(
        "uvicorn, bare ASGI + simdjson",
        "uvicorn",
        "{python} -m uvicorn --workers {workers} --port {port} --lifespan off --no-access-log"
        " --log-level warning benchmarks.peers.asgi_app:app",
        "uvicorn's docs, Deployment; uvloop and httptools",
    ),
    "mosec": Peer(
        "Mosec",
        "mosec",
        "{python} -m benchmarks.peers.mosec_app --address 127.0.0.1 --port {port}"
        " --log-level warning",
        "Mosec's README",
        ready="/metrics",
        path="/inference",
    ),
    "mlserver": Peer(
        "MLServer",
        "mlserver",
        "mlserver start {model}",
        "MLServer's docs, Parallel Inference",
        ready="/v2/models/{name}/ready",
        protocol="oip",
        path="/v2/models/{name}/infer",
        outputs=PROTOCOLS["oip"].outputs,
        environment={
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": "{port}",
            "MLSERVER_PARALLEL_WORKERS": "{workers}",
        },
        folder="build/mlserver",
    ),
    "bentoml": Peer(
        "BentoML",
        "bentoml",
        "{python} -m bentoml serve benchmarks.peers.bentoml_app:Digits --host 127.0.0.1"
        " --port {port}",
        "BentoML's docs, Workers",
        ready="/readyz",
        environment={"BENTOML_DO_NOT_TRACK": "True"},
    ),
    "litserve": Peer(
        "LitServe",
        "litserve",
        "{python} -m benchmarks.peers.litserve_app {port}",
        "LitServe's docs: workers_per_device",
        ready="/health",
    ),
    "ray": Peer(
        "Ray Serve",
        "ray",
        "{python} -m benchmarks.peers.ray_app {port}",
        "Ray's docs, Serve: a replica for each worker, a CPU each",
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
        " --workers {workers} --port {port}",
        "MLflow's docs, Deploy Model Locally",
        ready="/ping",
        protocol="mlflow",
        path="/invocations",
        outputs=_of_pyfunc,
    ),
    "course": Peer(
        "Flask's own server + Keras predict",
        "flask",
        "{python} -m flask --app benchmarks.peers.course_app run --port {port}",
        "the course project as it was handed in",
        needs_keras=True,
        environment={"TF_CPP_MIN_LOG_LEVEL": "2"},
    ),
}
