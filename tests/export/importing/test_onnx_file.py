"""ONNX models from elsewhere, published and served."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bundle import reader
from tests.commands import call
from tests.servers.live import Server


def adopt(folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    """Run ``python -m export import`` in an empty folder, with no MLflow store."""
    done = call("export", "import", *arguments, cwd=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


Classifier = tuple[Any, NDArray[np.float32]]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """scikit-learn's digits of 8x8 pixels, in a pipeline; and rows that it was not fitted to."""
    rows, labels = load_digits(return_X_y=True)
    rows = rows.astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    return model.fit(rows[:1500], labels[:1500]), rows[1500:]


def converted(model: Any, rows: NDArray[np.float32], to: Path, zipmap: bool) -> Path:
    made = to_onnx(model, rows[:1], options={"zipmap": zipmap})
    to.write_bytes(made.SerializeToString())
    return to


def test_a_classifier_of_scikit_learn(classifier: Classifier, tmp_path: Path) -> None:
    model, rows = classifier
    file = converted(model, rows, tmp_path / "digits.onnx", zipmap=False)
    (tmp_path / "names.txt").write_text("\n".join(f"digit {n}" for n in range(10)))
    status, out, err = adopt(tmp_path, file, "--name", "digits", "--class-names", "names.txt")
    assert (status, out) == (0, "models/digits/1\n"), err
    bundle = reader.read_version(tmp_path / "models", "digits", 1)
    assert bundle.model == file.read_bytes()
    assert bundle.manifest
    assert bundle.golden
    assert bundle.manifest.labels[3] == "digit 3"
    assert bundle.manifest.run_id is None
    assert bundle.manifest.us_per_row.keys() == {"1", "32", "256"}
    (source,) = bundle.golden.inputs.values()
    expected = model.predict_proba(source)
    np.testing.assert_allclose(bundle.golden.outputs["probabilities"], expected, atol=1e-5)
    with Server("--models", str(tmp_path / "models")) as server:
        body = json.dumps({"instances": rows[:20].tolist()}).encode()
        answer = server.request("POST", "/v1/models/digits:predict", body).json()
    given = answer["predictions"]
    assert [one["label"] for one in given] == model.predict(rows[:20]).tolist()
    scores = [one["probabilities"] for one in given]
    np.testing.assert_allclose(scores, model.predict_proba(rows[:20]), atol=1e-5)


def test_maps_in_place_of_tensors_are_refused_with_a_way_out(
    classifier: Classifier, tmp_path: Path
) -> None:
    file = converted(*classifier, tmp_path / "digits.onnx", zipmap=True)
    status, _, err = adopt(tmp_path, file, "--name", "digits")
    assert status == 1
    assert err == (
        "export: output_probability is a sequence, not a tensor; with skl2onnx, convert with"
        " options={'zipmap': False}\n"
    )
    assert not (tmp_path / "models").exists()


def test_two_inputs_and_two_outputs(other_repository: Path, tmp_path: Path) -> None:
    file = other_repository / "two/1/model.onnx"
    status, _, err = adopt(tmp_path, file, "--name", "two")
    assert status == 0, err
    bundle = reader.read_version(tmp_path / "models", "two", 1)
    assert bundle.golden
    assert bundle.manifest
    assert [spec.name for spec in bundle.manifest.inputs] == ["x", "n"]
    inputs, outputs = bundle.golden.inputs, bundle.golden.outputs
    np.testing.assert_array_equal(outputs["sum"], inputs["x"] + inputs["n"][:, None].astype("f4"))
    np.testing.assert_array_equal(outputs["twice"], 2 * inputs["n"])
    with Server("--models", str(tmp_path / "models")) as server:
        body = {"inputs": {"x": [[1, 2, 3]], "n": [4]}}
        answer = server.request("POST", "/v1/models/two:predict", json.dumps(body).encode())
        assert answer.json() == {"outputs": {"sum": [[5, 6, 7]], "twice": [8]}}


@pytest.mark.parametrize("name", ["fixed", "open", "flags", "bytes", "scalar", "turned"])
def test_other_shapes_and_types(other_repository: Path, tmp_path: Path, name: str) -> None:
    status, _, err = adopt(tmp_path, other_repository / name / "1/model.onnx", "--name", name)
    assert status == 0, err
    for command in (("verify", f"models/{name}/1"), ("promote", name, "1")):
        done = call("export", *command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    with Server("--models", str(tmp_path / "models")) as server:
        assert server.request("GET", f"/v2/models/{name}/versions/1/ready").status == 200
    # What has no batch of an open size, Triton could not join.
    joins = name not in ("fixed", "scalar")
    assert (tmp_path / "models" / name / "config.pbtxt").exists() == joins


def test_weights_beside_the_model_come_with_it(classifier: Classifier, tmp_path: Path) -> None:
    made = to_onnx(classifier[0][1:], classifier[1][:1], options={"zipmap": False})
    weights = onnx.numpy_helper.from_array(np.ones((40, 40), np.float32), "unused")
    made.graph.initializer.append(weights)
    outside = {"save_as_external_data": True, "location": "weights", "size_threshold": 0}
    onnx.save(made, tmp_path / "large.onnx", **outside)
    status, _, err = adopt(tmp_path, "large.onnx", "--name", "large")
    assert status == 0, err
    (tmp_path / "weights").unlink()
    model = onnx.load_from_string(reader.read_version(tmp_path / "models", "large", 1).model)
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def not_onnx(folder: Path, others: Path) -> Path:
    (folder / "text.onnx").write_text("0\n1\n2\n")
    return folder / "text.onnx"


def missing(folder: Path, others: Path) -> Path:
    return folder / "none.onnx"


def text(folder: Path, others: Path) -> Path:
    return others / "text/1/model.onnx"


def unknown_operator(folder: Path, others: Path) -> Path:
    model = onnx.load(others / "flags/1/model.onnx")
    model.graph.node[0].op_type, model.graph.node[0].domain = "Divine", "org.example"
    model.opset_import.append(onnx.helper.make_opsetid("org.example", 1))
    onnx.save(model, folder / "divine.onnx")
    return folder / "divine.onnx"


def two_sizes(folder: Path, others: Path) -> Path:
    text = '<ir_version: 8, opset_import: ["": 17]> g (float[2] a, float[4] b) => (float[2] y)'
    model = onnx.parser.parse_model(text + "{ s = ReduceSum(b) y = Add(a, s) }")
    onnx.save(model, folder / "sizes.onnx")
    return folder / "sizes.onnx"


def no_input(folder: Path, others: Path) -> Path:
    text = '<ir_version: 8, opset_import: ["": 17]> g () => (float[2] y)'
    model = onnx.parser.parse_model(text + "{ y = Constant<value = float[2] {1, 2}>() }")
    onnx.save(model, folder / "constant.onnx")
    return folder / "constant.onnx"


def not_finite(folder: Path, others: Path) -> Path:
    text = '<ir_version: 8, opset_import: ["": 17]> g (float[N] x) => (float[N] y)'
    model = onnx.parser.parse_model(text + "{ z = Sub(x, x) y = Div(x, z) }")
    onnx.save(model, folder / "nan.onnx")
    return folder / "nan.onnx"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (not_onnx, "text.onnx: not an ONNX model: "),
        (missing, "none.onnx: No such file or directory"),
        (text, "x is a tensor of string; the server supports bool, float16"),
        (unknown_operator, "onnxruntime does not run it on a CPU: "),
        (two_sizes, "its inputs take batches of different sizes: a 2, b 4"),
        (no_input, "it has no inputs"),
        (not_finite, "its output y is not finite for random inputs"),
    ],
)
def test_what_could_not_be_served_is_refused(
    make: Callable[[Path, Path], Path], message: str, other_repository: Path, tmp_path: Path
) -> None:
    status, out, err = adopt(tmp_path, make(tmp_path, other_repository), "--name", "m")
    assert (status, out) == (1, "")
    assert err.startswith("export: ")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "models").exists()


def test_answers_of_any_size(tmp_path: Path) -> None:
    """Another CPU may differ by more than it could in a probability."""
    text = '<ir_version: 8, opset_import: ["": 17]> g (float[N, 2] x) => (float[N, 2] y)'
    model = onnx.parser.parse_model(
        text + "{ c = Constant<value = float {1000000.0}>() y = Mul(x, c) }"
    )
    onnx.save(model, tmp_path / "large.onnx")
    assert adopt(tmp_path, "large.onnx", "--name", "large")[0] == 0
    golden = reader.read_version(tmp_path / "models", "large", 1).golden
    assert golden
    largest = float(golden.outputs["y"].max())
    assert largest > 1e5
    assert golden.tolerance == pytest.approx(1e-4 * largest)


def test_labels_must_fit(other_repository: Path, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("a\nb\n")
    file = other_repository / "bytes/1/model.onnx"
    status, _, err = adopt(tmp_path, file, "--name", "m", "--class-names", "names")
    assert (status, err) == (
        1,
        "export: names has 2 class names; the model's outputs have 4 values per row\n",
    )
    status, _, err = adopt(tmp_path, file, "--name", "m", "--class-names", "none")
    assert (status, err) == (1, "export: none: No such file or directory\n")


def test_rows_become_golden_inputs_and_features(classifier: Classifier, tmp_path: Path) -> None:
    model, rows = classifier
    file = converted(model, rows, tmp_path / "digits.onnx", zipmap=False)
    names = [f"p{place}" for place in range(64)]
    np.savetxt(tmp_path / "rows.csv", rows, "%g", ",", header=",".join(names), comments="")
    status, _, err = adopt(tmp_path, file, "--name", "digits", "--rows", "rows.csv")
    assert status == 0, err
    bundle = reader.read_version(tmp_path / "models", "digits", 1)
    assert bundle.manifest
    assert bundle.golden
    assert [feature.name for feature in bundle.manifest.features] == names
    (golden,) = bundle.golden.inputs.values()
    assert all((golden_row == rows).all(axis=1).any() for golden_row in golden)
    np.savez(tmp_path / "narrow.npz", rows[:, :5])
    status, _, err = adopt(tmp_path, file, "--name", "narrow", "--rows", "narrow.npz")
    assert (status, err) == (
        1,
        "export: the model takes an input of shape [-1, 64], and the rows have the shape [-1, 5]\n",
    )
