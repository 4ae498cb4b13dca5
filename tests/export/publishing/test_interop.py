"""One published folder, as it is, in the servers of others."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from bundle import reader
from tests.conftest import ROOT, Digits, free_port, run
from tests.servers import other

CLIENTS = ROOT / "build/clients/bin/python"
MLSERVER = ROOT / "build/mlserver/bin/mlserver"


@pytest.fixture
def folder(repository: Path) -> Iterator[Path]:
    """The published version, which nobody changes."""
    version = repository / "mnist/1"
    before = digests(version)
    yield version
    assert digests(version) == before


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture
def expected(repository: Path, digits: Digits) -> NDArray[Any]:
    """Probabilities of the golden rows."""
    golden = reader.read_version(repository, "mnist", 1).golden
    assert golden
    return golden.outputs["probabilities"]


@pytest.fixture
def rows(repository: Path) -> NDArray[Any]:
    golden = reader.read_version(repository, "mnist", 1).golden
    assert golden
    return golden.inputs["image"]


def post(url: str, document: object) -> Any:
    answer = requests.post(url, json=document, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_pyfunc_of_mlflow(folder: Path, rows: NDArray[Any], expected: NDArray[Any]) -> None:
    model = mlflow.pyfunc.load_model(str(folder))
    np.testing.assert_allclose(model.predict(rows)["probabilities"], expected, atol=1e-5)
    requirements = model.metadata.get_model_info().flavors["python_function"]["env"]
    assert (folder / requirements["virtualenv"]).is_file()
    assert "onnxruntime==" in (folder / "requirements.txt").read_text()
    with pytest.raises(mlflow.MlflowException, match="does not match expected dtype float32"):
        model.predict(rows.astype(np.float64))


def test_mlflow_models_serve(folder: Path, rows: NDArray[Any], expected: NDArray[Any]) -> None:
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(folder)]
    command += ["--env-manager", "local", "--workers", "1", "--port", str(port)]
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # MLflow looks for uvicorn
    with other.started(command, port, "/ping", PATH=programs) as url:
        answer = post(f"{url}/invocations", {"inputs": rows.tolist()})
    np.testing.assert_allclose(answer["predictions"]["probabilities"], expected, atol=1e-5)


def test_mlserver(
    folder: Path, repository: Path, rows: NDArray[Any], expected: NDArray[Any]
) -> None:
    """The whole model's folder; ``python -m export`` writes what it looks for."""
    if not MLSERVER.exists():
        pytest.skip("MLServer needs Python 3.11 or 3.12, and neither is here")
    ports = [free_port() for _ in range(3)]
    names = ("MLSERVER_HTTP_PORT", "MLSERVER_GRPC_PORT", "MLSERVER_METRICS_PORT")
    environment = dict(zip(names, map(str, ports), strict=True))
    environment |= {"MLSERVER_HOST": "127.0.0.1", "MLSERVER_PARALLEL_WORKERS": "0"}
    command = [str(MLSERVER), "start", str(repository / "mnist")]
    tensor = {"name": "image", "shape": list(rows.shape), "datatype": "FP32"}
    body = {"inputs": [tensor | {"data": rows.ravel().tolist()}]}
    with other.started(command, ports[0], "/v2/health/ready", **environment) as url:
        answer = post(f"{url}/v2/models/mnist/versions/1/infer", body)
    (output,) = answer["outputs"]
    assert output["name"] == "probabilities"
    got = np.reshape(output["data"], output["shape"])
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_the_layout_is_one_that_triton_reads(folder: Path) -> None:
    """By Triton's rules: its own schema for config.pbtxt, and numbers with a model.onnx in them.

    https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/model_repository.html
    """
    code = (
        "import sys; from google.protobuf import json_format, text_format\n"
        "from tritonclient.grpc.model_config_pb2 import ModelConfig\n"
        "config = text_format.Parse(open(sys.argv[1]).read(), ModelConfig())\n"
        "print(json_format.MessageToJson(config))"
    )
    done = run(CLIENTS, "-c", code, folder.parent / "config.pbtxt")
    assert done.returncode == 0, done.stderr
    config = json.loads(done.stdout)
    # Tensors are left to the graph: Triton completes a configuration that names none.
    assert config == {
        "name": folder.parent.name,
        "backend": "onnxruntime",
        "maxBatchSize": 1024,
        "dynamicBatching": {},
    }
    versions = [path for path in folder.parent.iterdir() if path.is_dir()]
    assert all(path.name.isdecimal() and not path.name.startswith("0") for path in versions)
    assert all((path / "model.onnx").is_file() for path in versions)
