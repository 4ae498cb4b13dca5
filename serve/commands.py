"""The commands ``check`` and ``predict``, which do not serve."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

from bundle.manifest import Manifest
from serve.errors import ServeError, StartError
from serve.inference.batching import Batcher
from serve.inference.inference_job import InferenceJob
from serve.models import catalog
from serve.models.spec import ModelSpec
from serve.protocols import predict as predict_protocol
from serve.protocols.number_kernel import library
from serve.settings import Settings


def check(settings: Settings) -> int:
    """Load and test the models like the server, and print their tensors and provenance."""
    served = catalog.load(settings)
    for model in served:
        print(f"{model} can be served")
        _print_signature(model.spec)
    print(f"number kernel: {library.load()}")
    return 1 if any(versions.planned.failed for versions in served.models.values()) else 0


def predict(settings: Settings, file: str) -> int:
    """Answer the request body in ``file`` (``-`` for standard input) like POST /predict."""
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise StartError(f"{file}: {error.strerror}") from None
    served = catalog.load(settings)
    job = InferenceJob(predict_protocol, body, {})
    try:
        job.model = served.find()
    except ServeError as error:
        raise StartError(f"{error}; choose with --default-model") from None
    response = Batcher(settings).respond(job)
    print(response.body.decode())
    return 0 if response.status == 200 else 1


def _print_signature(model_spec: ModelSpec) -> None:
    for kind, specs in (("input", model_spec.inputs), ("output", model_spec.outputs)):
        for spec in specs:
            bounds = f", values from {spec.range[0]:g} to {spec.range[1]:g}" if spec.range else ""
            print(f"  {kind} {spec.name}: {spec.dtype} {list(spec.shape)}{bounds}")
    if model_spec.table:
        features = (f"{one.name} ({one.kind})" for one in model_spec.table.features)
        print(f"  features: {', '.join(features)}")
    if model_spec.manifest is None:
        print("  no manifest.json: neither checksums nor golden answers were compared")
    else:
        _print_provenance(model_spec.manifest)


def _print_provenance(manifest: Manifest) -> None:
    known = {
        "published": manifest.created,
        "MLflow run": manifest.run_id,
        "git commit": manifest.git_commit,
        "data set": manifest.dataset and f"{manifest.dataset.name} {manifest.dataset.sha256[:12]}",
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in manifest.metrics.items()),
        "parity": manifest.parity and _words(dataclasses.asdict(manifest.parity)),
        "quantization": manifest.quantization and manifest.quantization.method,
        "made with": ", ".join(f"{name} {version}" for name, version in manifest.tools.items()),
    }
    for name, value in known.items():
        if value:
            print(f"  {name}: {value}")


def _words(values: dict[str, Any]) -> str:
    """All numbers among the values, as text."""
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in numbers.items())
