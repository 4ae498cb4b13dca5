"""Other forms of the same model: bytes in, eight-bit integers, half-precision weights."""

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import onnx
import onnxruntime
import pytest

from bundle import reader
from bundle.manifest import Manifest
from bundle.measurements import Quantization
from tests.bundle.example import MANIFEST
from tests.commands import export
from tests.conftest import Digits
from tests.servers.live import Server

NAME = "variants"
QUANTIZED = Quantization(
    method="int8 static", accuracy_loss=0.0, bytes_before=9, us_per_row_before={"1": 2, "32": 1}
)
FORMS = {
    1: (),
    2: ("--input", "uint8"),
    3: ("--quantize", "dynamic", "--max-drop", "2"),
    4: ("--quantize", "static", "--max-drop", "2"),
    5: ("--input", "uint8", "--quantize", "static", "--max-drop", "2"),
    6: ("--weights", "fp16"),
    7: ("--input", "uint8", "--quantize", "static", "--max-drop", "2"),
}


@dataclass(frozen=True)
class Published:
    """The forms that were published, and what was said of each."""

    root: Path
    said: dict[int, str]

    def path(self, version: int) -> Path:
        return self.root / NAME / str(version) / "model.onnx"

    def manifest(self, version: int) -> Manifest:
        manifest = reader.read_version(self.root, NAME, version).manifest
        assert manifest
        return manifest

    def answers(self, version: int, digits: Digits) -> np.ndarray:
        session = onnxruntime.InferenceSession(self.path(version))
        dtype = self.manifest(version).inputs[0].dtype
        return np.asarray(session.run(None, {"image": digits.images.astype(dtype)})[0])

    def operators(self, version: int) -> list[str]:
        return [node.op_type for node in onnx.load(self.path(version)).graph.node]


@pytest.fixture(scope="module")
def published(
    work: Path, run_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    root = tmp_path_factory.mktemp("models")
    said = {}
    for version, options in FORMS.items():
        command = ("--run", run_id, "--name", NAME, "--models", root, *options)
        status, out, err = export(work, *command)
        assert (status, out) == (0, f"{root}/{NAME}/{version}\n"), err
        said[version] = err
    yield Published(root, said)
    mlflow.MlflowClient(f"sqlite:///{work}/mlflow.db").delete_registered_model(NAME)


def test_bytes_are_cast_in_the_graph(published: Published, digits: Digits) -> None:
    assert published.operators(2) == ["Cast", "Gemm", "Relu", "Gemm", "Softmax"]
    assert published.manifest(2).inputs[0].dtype == "uint8"
    np.testing.assert_array_equal(published.answers(2, digits), published.answers(1, digits))
    parity = published.manifest(2).parity
    assert parity
    assert parity.max_abs_difference <= 1e-5


def test_integers_throughout(published: Published) -> None:
    assert published.operators(3).count("MatMulInteger") == 2
    for version in (4, 5):
        left = [name for name in published.operators(version) if "Dequantize" not in name]
        # Bytes that were calibrated to be 0 to 255 need no step to become such bytes.
        first = [] if version == 5 else ["QuantizeLinear"]
        assert left == [*first, "Gemm", "Relu", "QuantizeLinear", "Gemm", "Softmax"]


@pytest.mark.parametrize("version", [3, 4, 5, 6])
def test_the_manifest_says_what_smaller_numbers_cost(
    published: Published, version: int, digits: Digits
) -> None:
    manifest = published.manifest(version)
    cost = manifest.quantization
    assert cost
    right = {
        form: (published.answers(form, digits).argmax(axis=1) == digits.labels).mean()
        for form in (1, version)
    }
    assert manifest.metrics["test_accuracy"] == pytest.approx(right[version], abs=0.002)
    assert cost.accuracy_loss == pytest.approx(right[1] - right[version], abs=0.002)
    assert -0.02 < cost.accuracy_loss < 0.02
    before, now = published.path(1).stat().st_size, published.path(version).stat().st_size
    assert cost.bytes_before == pytest.approx(before, rel=0.01)
    assert now / before == pytest.approx(0.5 if version == 6 else 0.27, abs=0.03)
    assert cost.us_per_row_before.keys() == manifest.us_per_row.keys() == {"1", "32", "256"}
    assert manifest.parity
    assert 1e-5 < manifest.parity.max_abs_difference < 1
    assert 0.97 < manifest.parity.top1_agreement <= 1
    assert cost.method in published.said[version]
    assert re.search(r"float32\s*┃", published.said[version])


def test_the_same_form_twice_is_the_same_file(published: Published) -> None:
    assert published.path(7).read_bytes() == published.path(5).read_bytes()
    golden = [published.path(version).with_name("golden.npz") for version in (5, 7)]
    assert golden[0].read_bytes() == golden[1].read_bytes()


def test_a_form_can_be_proven_again(published: Published, work: Path) -> None:
    status, _, err = export(work, "verify", published.path(5).parent)
    assert status == 0, err
    assert err.splitlines()[-1].endswith("is unchanged")


def test_only_the_dynamic_form_depends_on_neighbours(published: Published, digits: Digits) -> None:
    for version, depends in ((3, True), (4, False)):
        session = onnxruntime.InferenceSession(published.path(version))
        rows = digits.images[:50].astype(np.float32)
        alone = np.vstack([session.run(None, {"image": row[None]})[0] for row in rows])
        together = session.run(None, {"image": rows})[0]
        assert (np.abs(alone - together).max() > 1e-4) == depends


def test_mlflow_knows_the_forms_apart(published: Published, tracked: None) -> None:
    manifest = published.manifest(7)  # the last one of this form
    version = mlflow.MlflowClient().get_model_version(NAME, "7")
    assert (version.tags["input"], version.tags["quantization"]) == ("uint8", "int8 static")
    measured = mlflow.get_run(str(manifest.run_id)).data.metrics
    size = published.path(7).stat().st_size
    assert measured["uint8_int8_static_onnx_bytes"] == size
    assert measured["uint8_int8_static_us_per_row_1"] == manifest.us_per_row["1"]
    assert manifest.quantization
    assert measured["uint8_int8_static_accuracy_loss"] == manifest.quantization.accuracy_loss
    for version, form in ((3, "dynamic"), (4, "static")):
        quantization = published.manifest(version).quantization
        assert quantization
        assert measured[f"int8_{form}_accuracy_loss"] == quantization.accuracy_loss
    assert measured["onnx_bytes"] == published.path(1).stat().st_size


def test_the_server_answers_with_each(published: Published, digits: Digits) -> None:
    with Server("--models", str(published.root), "--latest-versions", "9") as server:
        for version in FORMS:
            expected = published.answers(version, digits)[:4]
            body = {"instances": digits.images[:4].tolist()}
            path = f"/v1/models/{NAME}/versions/{version}:predict"
            answer = server.request("POST", path, json.dumps(body).encode())
            assert answer.status == 200, answer.body
            # A batch of four has scales of its own in the dynamic form.
            near = 0.05 if version == 3 else 1e-5
            np.testing.assert_allclose(answer.json()["predictions"], expected, atol=near)
        for version in (2, 5):  # which take bytes: from JSON too, in every protocol
            pixels = digits.images[:2].tolist()
            query = f"?model={NAME}&version={version}"
            plain = server.request("POST", f"/predict{query}", json.dumps({"images": pixels}))
            expected = published.answers(version, digits)[:2]
            np.testing.assert_allclose(plain.json()["probabilities"], expected, atol=1e-5)
            tensor = {"name": "image", "shape": [2, 784], "datatype": "UINT8", "data": pixels}
            path = f"/v2/models/{NAME}/versions/{version}/infer"
            answer = server.request("POST", path, json.dumps({"inputs": [tensor]}))
            data = np.reshape(answer.json()["outputs"][0]["data"], (2, 10))
            np.testing.assert_allclose(data, expected, atol=1e-5)
            pixels[1][7] = 256
            refused = server.request("POST", f"/predict{query}", json.dumps({"images": pixels}))
            assert refused.status == 400
            assert (
                refused.json()["error"]
                == "row 1, value 7: 256 can't be had as uint8 without a loss"
            )
        tensor = {"name": "image", "shape": [2, 784], "datatype": "UINT8"}
        head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": 1568}}]})
        answer = server.request(
            "POST",
            f"/v2/models/{NAME}/versions/5/infer",
            head.encode() + digits.images[:2].astype(np.uint8).tobytes(),
            {"Inference-Header-Content-Length": str(len(head))},
        )
        assert answer.status == 200, answer.body
        data = np.reshape(answer.json()["outputs"][0]["data"], (2, 10))
        np.testing.assert_allclose(data, published.answers(5, digits)[:2], atol=1e-5)


def test_where_it_is_slower_is_said() -> None:
    from io import StringIO

    from rich.console import Console

    from export.versions import version_report

    for now, said in (({"1": 2.2, "32": 1.0}, "for batches of 1"), ({"1": 2.0, "32": 1.0}, "")):
        out = StringIO()
        manifest = dataclasses.replace(MANIFEST, us_per_row=now, quantization=QUANTIZED)
        version_report.show_slower(Console(file=out, width=200), manifest)
        assert (said in out.getvalue()) if said else out.getvalue() == ""


def test_nothing_is_published_that_costs_too_much() -> None:
    from export.errors import ExportError
    from export.proof.score import ACCURACY, RMSE
    from export.proof.timing import Measurements
    from export.publishing.prepare import cost
    from export.variant import Variant

    before, after = (
        Measurements({"test_accuracy": accuracy}, 10, {"1": 1.0}) for accuracy in (0.984, 0.981)
    )
    message = r"makes the test accuracy 0\.30 points worse \(98\.40% to 98\.10%\)"
    with pytest.raises(ExportError, match=message):
        cost(ACCURACY, Variant(quantize="static", max_drop=0.2), before, after)
    found = cost(ACCURACY, Variant(quantize="static", max_drop=0.3), before, after)
    assert found.accuracy_loss == pytest.approx(0.003)
    before, after = (Measurements({"test_rmse": rmse}, 10, {"1": 1.0}) for rmse in (50, 51))
    message = r"makes the test RMSE 2\.00 % worse \(50 to 51\)"
    with pytest.raises(ExportError, match=message):
        cost(RMSE, Variant(quantize="static", max_drop=1.9), before, after)
    found = cost(RMSE, Variant(quantize="static", max_drop=2.1), before, after)
    assert found.rmse_increase == pytest.approx(0.02)
    better = cost(RMSE, Variant(quantize="static", max_drop=0), after, before)
    assert better.rmse_increase == pytest.approx(-1 / 51)


def test_refuses_calibration_where_the_run_kept_none(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracked: None
) -> None:
    from rich.console import Console

    from export import pipeline
    from export.errors import ExportError
    from export.variant import Variant
    from tracking import artifacts

    monkeypatch.setattr(artifacts, "CALIBRATION", "data/none.npz")  # as in older runs
    with pytest.raises(ExportError, match=r"has no data/none\.npz; was it made by"):
        pipeline.export(run_id, NAME, tmp_path, Variant(quantize="static"), Console(quiet=True))
    assert list(tmp_path.iterdir()) == []
