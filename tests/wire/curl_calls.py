"""curl as TensorFlow Serving's documentation has it."""

import json
import subprocess
from typing import Any

import numpy as np

from tests.wire.calls import Target, main


def curl(*arguments: str, body: Any = None) -> Any:
    """What curl prints, read as JSON."""
    command = ["curl", "-sS", *arguments]
    if body is not None:
        command += ["-d", "@-"]
    sent = None if body is None else json.dumps(body)
    done = subprocess.run(command, input=sent, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def check(target: Target, rows: Any) -> None:
    assert np.shape(rows) == (4, 10)
    assert tuple(np.argmax(rows, axis=1)) == target.digits


def status(target: Target) -> None:
    answer = curl(f"{target.url}/v1/models/mnist")
    (state,) = answer["model_version_status"]
    assert state == {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    assert curl(f"{target.url}/v1/models/mnist/versions/1") == answer


def metadata(target: Target) -> None:
    answer = curl(f"{target.url}/v1/models/mnist/metadata")
    assert answer["model_spec"]["version"] == "1"
    defined = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert defined["inputs"]["image"]["dtype"] == "DT_FLOAT"
    sizes = [size["size"] for size in defined["inputs"]["image"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "784"]


def rows(target: Target) -> None:
    url = f"{target.url}/v1/models/mnist:predict"
    images = target.images.tolist()
    for body in (
        {"instances": images},
        {"signature_name": "serving_default", "instances": [{"image": row} for row in images]},
    ):
        check(target, curl(url, body=body)["predictions"])


def columns(target: Target) -> None:
    url = f"{target.url}/v1/models/mnist:predict"
    for inputs in (target.images.tolist(), {"image": target.images.tolist()}):
        check(target, curl(url, body={"inputs": inputs})["outputs"])


def version(target: Target) -> None:
    body = {"instances": target.images.tolist()}
    check(
        target, curl(f"{target.url}/v1/models/mnist/versions/1:predict", body=body)["predictions"]
    )


def label(target: Target) -> None:
    body = {"instances": target.images.tolist()}
    url = f"{target.url}/v1/models/mnist/labels/stable:predict"
    check(target, curl(url, body=body)["predictions"])


def errors(target: Target) -> None:
    url = f"{target.url}/v1/models/mnist:predict"
    both = curl(url, body={"instances": [], "inputs": []})
    assert both == {"error": 'expected either "instances" or "inputs", got 2 of them'}
    unknown = curl(f"{target.url}/v1/models/cats:predict", body={"instances": []})
    assert unknown == {"error": "no model 'cats'; there is mnist, people"}


main(
    {
        "GET /v1/models/NAME": status,
        "GET /v1/models/NAME/metadata": metadata,
        "predict in rows": rows,
        "predict in columns": columns,
        "predict, a version": version,
        "predict, a label": label,
        "errors": errors,
    }
)
