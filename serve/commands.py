"""What ``python -m serve`` can do beside serving: check what would be served, and predict."""

import dataclasses
import sys
from pathlib import Path

from bundle.manifest import Manifest
from serve.errors import StartError
from serve.inference import load
from serve.job import Job
from serve.settings import Settings


def check(settings: Settings) -> int:
    """Load and test the model as serving would, and print what it is and where it came from."""
    model = load(settings).model
    print(f"{model.name} version {model.version} can be served")
    for kind, specs in (("input", model.inputs), ("output", model.outputs)):
        for spec in specs:
            bounds = f", values from {spec.range[0]:g} to {spec.range[1]:g}" if spec.range else ""
            print(f"  {kind} {spec.name}: {spec.dtype} {list(spec.shape)}{bounds}")
    if model.manifest is None:
        print("  no manifest.json: neither checksums nor golden answers were compared")
    else:
        _print_provenance(model.manifest)
    return 0


def predict(settings: Settings, file: str) -> int:
    """Answer the request body in ``file`` (``-`` for standard input) as POST /predict would."""
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise StartError(f"{file}: {error.strerror}") from None
    answer = load(settings).answer(Job(body))
    print(answer.body.decode())
    return 0 if answer.status == 200 else 1


def _print_provenance(manifest: Manifest) -> None:
    known = {
        "published": manifest.created,
        "MLflow run": manifest.run_id,
        "git commit": manifest.git_commit,
        "data set": manifest.dataset and f"{manifest.dataset.name} {manifest.dataset.sha256[:12]}",
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in manifest.metrics.items()),
        "parity": manifest.parity and _words(dataclasses.asdict(manifest.parity)),
        "made with": ", ".join(f"{name} {version}" for name, version in manifest.tools.items()),
    }
    for name, value in known.items():
        if value:
            print(f"  {name}: {value}")


def _words(values: dict[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items())
