import json
from typing import Any

import pytest

from bundle.errors import BundleError
from bundle.manifest import Manifest
from tests.bundle.example import MANIFEST

SPEC: dict[str, Any] = {"name": "x", "dtype": "float32", "shape": [-1, 4]}


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(MANIFEST.to_json()) | changes).encode()


def test_reads_what_it_wrote() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


def test_ignores_keys_of_later_releases() -> None:
    document = json.loads(MANIFEST.to_json())
    document["inputs"][0]["layout"] = "NC"
    assert Manifest.from_json(json.dumps(document | {"new": 1}).encode()) == MANIFEST


def test_an_output_may_be_of_texts() -> None:
    label = {"name": "label", "dtype": "string", "shape": [-1]}
    assert Manifest.from_json(changed(outputs=[label])).outputs[0].dtype == "string"


def test_provenance_may_be_missing() -> None:
    document = json.loads(MANIFEST.to_json())
    for key in ("run_id", "dataset", "metrics", "parity", "opset", "labels"):
        del document[key]
    manifest = Manifest.from_json(json.dumps(document).encode())
    assert (manifest.run_id, manifest.parity, manifest.metrics) == (None, None, {})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "expected a JSON object, got list"),
        (changed(schema_version=2), "schema_version is 2; this release reads 1"),
        (changed(inputs=[]), "may not be empty"),
        (changed(inputs=None), "missing or malformed"),
        (changed(inputs=[{"name": "x"}]), "missing or malformed"),
        (changed(files=["model.onnx"]), "may not be empty"),
        (changed(parity=3), "missing or malformed"),
        (changed(parity={"rows": 1}), "missing or malformed"),
        (changed(quantization={"method": "int8"}), "missing or malformed"),
        (changed(golden_tolerance="much"), "a measure is no number"),
        (changed(metrics={"test_accuracy": "high"}), "a measure is no number"),
        (changed(metrics=[1]), "missing or malformed"),
        (changed(run_id="a\r\nX-Evil: 1"), "is not one line of text"),
        (changed(run_id="ä"), "run_id 'ä' is not ASCII"),
        (changed(run_id=5), "is not one line of text"),
        (changed(git_commit="x" * 1001), "is not one line of text"),
        (changed(labels=["a", "b\x1b"]), "is not one line of text"),
        (changed(dataset={"name": "a\nb", "sha256": ""}), "is not one line of text"),
        (changed(tools={"a\nb": "1"}), "is not one line of text"),
        (b"[" * 100_000, "not JSON"),
        (changed(files={"model.onnx": 5}), "files maps names to checksums"),
        (changed(files={"a\0b": "0"}), "files maps names to checksums"),
        (changed(inputs=[SPEC | {"dtype": 5}]), "'x' of 5 is no tensor"),
        (changed(inputs=[SPEC | {"dtype": "object"}]), "'x' of 'object' is no tensor"),
        (changed(inputs=[SPEC | {"dtype": "string"}]), "an input has texts"),
        (changed(inputs=[SPEC | {"shape": [-1, "4"]}]), "no sizes in its shape"),
        (changed(inputs=[SPEC | {"range": ["a", "b"]}]), "no two numbers in its range"),
        (b'{"schema_version": 1}', "missing or malformed"),
    ],
)
def test_refuses_what_is_no_manifest(data: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        Manifest.from_json(data)
