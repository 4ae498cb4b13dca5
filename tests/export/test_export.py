"""Export as its users run it, on the run that all tests share."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
import onnx
import onnxruntime
import pytest
from mlflow.entities import LoggedModel

from bundle import reader
from export.proof import row_results
from tests.commands import export
from tests.conftest import Digits, python_environment
from tests.models.shared import SUBSET_TEST

EDGES = 3 + 784 + 256


def test_the_graph_has_the_promised_names(repository: Path) -> None:
    graph = onnx.load(repository / "mnist/1/model.onnx")
    onnx.checker.check_model(graph, full_check=True)
    assert [entry.version for entry in graph.opset_import if not entry.domain] == [17]
    (source,), (target,) = graph.graph.input, graph.graph.output
    shapes = [
        [d.dim_param or d.dim_value for d in tensor.type.tensor_type.shape.dim]
        for tensor in (source, target)
    ]
    assert [node.op_type for node in graph.graph.node] == ["Gemm", "Relu", "Gemm", "Softmax"]
    assert (source.name, target.name) == ("image", "probabilities")
    assert shapes == [["batch", 784], ["batch", 10]]


def test_the_manifest_tells_where_the_model_came_from(
    repository: Path, client: mlflow.MlflowClient, run_id: str
) -> None:
    manifest = reader.read_version(repository, "mnist", 1).manifest
    assert manifest
    trained = client.get_run(run_id).data
    assert manifest.git_commit == trained.tags.get("mlflow.source.git.commit")
    assert manifest.dataset
    assert manifest.dataset.sha256 == trained.params["dataset_sha256"]
    assert manifest.labels == tuple("0123456789")
    assert manifest.inputs[0].range == (0, 255)
    assert manifest.inputs[0].shape == (-1, 784)
    assert manifest.opset == 17
    assert {"tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"} <= manifest.tools.keys()


def test_parity_was_measured_on_the_test_set_and_on_edge_inputs(repository: Path) -> None:
    manifest = reader.read_version(repository, "mnist", 1).manifest
    assert manifest
    assert manifest.parity
    assert manifest.parity.rows == SUBSET_TEST + EDGES
    assert 0 < (manifest.parity.mean_abs_difference or 0) < manifest.parity.max_abs_difference
    assert manifest.parity.max_abs_difference <= 1e-5
    assert manifest.parity.max_abs_difference < (manifest.parity.max_abs_logit_difference or 0)
    assert manifest.parity.top1_agreement == 1
    rows = {of: part.rows for of, part in manifest.parity.parts.items()}
    sizes = (1, 2, 3, 7, 64, 1000)
    assert rows == {f"test set by {n}": SUBSET_TEST for n in sizes} | {"edge inputs": EDGES}


def test_parity_is_what_the_published_files_give(
    repository: Path, run_id: str, digits: Digits, tracked: None
) -> None:
    """Measurements once more, in the simplest way."""
    manifest = reader.read_version(repository, "mnist", 1).manifest
    assert manifest
    assert manifest.parity
    keras_model = mlflow.tensorflow.load_model(f"runs:/{run_id}/model")
    rows = digits.images.astype(np.float32)
    session = onnxruntime.InferenceSession(repository / "mnist/1/model.onnx")
    answers = session.run(None, {"image": rows})[0]
    apart = np.abs(answers - keras_model.predict(rows, verbose=0))
    part = manifest.parity.parts["test set by 1000"]
    assert part.max_abs_difference == pytest.approx(apart.max(), abs=1e-6)
    assert manifest.metrics["test_accuracy"] == (answers.argmax(axis=1) == digits.labels).mean()


def test_the_answer_for_each_test_row_is_kept(repository: Path, digits: Digits) -> None:
    manifest = reader.read_version(repository, "mnist", 1).manifest
    assert manifest
    found = row_results.read(repository / "mnist/1", manifest)
    assert found
    truth, predicted = found
    assert predicted.dtype == np.uint8
    np.testing.assert_array_equal(truth, digits.labels)
    assert (predicted == truth).mean() == manifest.metrics["test_accuracy"]


def test_golden_answers_are_of_every_class(repository: Path, digits: Digits) -> None:
    golden = reader.read_version(repository, "mnist", 1).golden
    assert golden
    rows, scores = golden.inputs["image"], golden.outputs["probabilities"]
    assert rows.shape == (10, 784)
    places = [int(np.flatnonzero((digits.images == row).all(axis=1))[0]) for row in rows]
    assert sorted(digits.labels[places]) == list(range(10))
    session = onnxruntime.InferenceSession(repository / "mnist/1/model.onnx")
    np.testing.assert_allclose(session.run(None, {"image": rows})[0], scores, atol=1e-6)


def test_the_run_knows_what_was_published(
    shared: Path, run_id: str, repository: Path, tmp_path: Path, tracked: None
) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{shared}/mlflow.db")  # which knows of one export only
    recorded = client.get_run(run_id).data
    assert recorded.tags["published"] == "mnist/1"
    assert recorded.metrics["parity_top1_agreement"] == 1
    size = (repository / "mnist/1/model.onnx").stat().st_size
    assert recorded.metrics["onnx_bytes"] == size
    measured = json.loads((repository / "mnist/1/manifest.json").read_text())["metrics"]
    assert recorded.metrics["test_accuracy"] == measured["test_accuracy"] > 0.8
    logged = client.search_logged_models(
        [client.get_run(run_id).info.experiment_id], "name = 'onnx'", max_results=100
    )
    (model,) = (one for one in logged if one.source_run_id == run_id)
    assert metric(model, "onnx_bytes") == size
    assert metric(model, "test_accuracy") == measured["test_accuracy"]
    assert metric(model, "parity_rows") == SUBSET_TEST + EDGES
    assert 0 < metric(model, "us_per_row_256") < metric(model, "us_per_row_1")
    folder = Path(mlflow.artifacts.download_artifacts(model.model_uri, dst_path=str(tmp_path)))
    assert (folder / "model.onnx").read_bytes() == (repository / "mnist/1/model.onnx").read_bytes()
    manifest = json.loads((folder / "extra_files/manifest.json").read_text())
    assert manifest["run_id"] == run_id


def metric(model: LoggedModel, name: str) -> float:
    """The last value: MLflow gives each model of a run the metrics that the run had before it."""
    found = [one for one in model.metrics or () if one.key == name]
    return float(max(found, key=lambda one: one.timestamp).value)


def test_the_same_run_gives_the_same_bytes(
    work: Path, repository: Path, run_id: str, tmp_path: Path
) -> None:
    status, out, _ = export(work, "--run", run_id, "--models", tmp_path, "--name", "again")
    assert (status, out) == (0, f"{tmp_path}/again/1\n")
    for file in ("model.onnx", "golden.npz"):
        digests = {
            hashlib.sha256((folder / file).read_bytes()).hexdigest()
            for folder in (repository / "mnist/1", tmp_path / "again/1")
        }
        assert len(digests) == 1


def children(pid: int | str) -> list[str]:
    """The processes that a process has started; none once it has ended."""
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def cpu_ticks(pid: str) -> int:
    """User time of a process, in hundredths of a second; see proc_pid_stat(5). 0 once it ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])
    except OSError:
        return 0


def test_terminated_it_leaves_no_process_and_publishes_nothing(
    work: Path, run_id: str, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    # The address of the forkserver's socket is in it, and may have 107 characters.
    temporary = Path(tempfile.mkdtemp(prefix="export-"))
    process = subprocess.Popen(
        [sys.executable, "-m", "export", "--run", run_id, "--models", str(models)],
        cwd=work,
        env=python_environment(TMPDIR=str(temporary)),
        stderr=subprocess.PIPE,
        text=True,
    )
    # Until a step is at work: a process that the forkserver has forked. While Python's own pool
    # begins, it can't be interrupted.
    steps: list[str] = []
    while not any(cpu_ticks(step) >= 10 for step in steps):
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.01)
        steps = [step for one in children(process.pid) for step in children(one)]
    below = [*children(process.pid), *steps]
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "export: interrupted"
    until = time.monotonic() + 30
    while any(Path(f"/proc/{one}").exists() for one in below):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert not list(temporary.rglob("*.onnx"))
    shutil.rmtree(temporary)
    assert not models.exists()


def test_publishes_nothing_where_the_answers_differ(
    work: Path, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracked: None
) -> None:
    """The conversion is made to alter a weight by a little; parity must notice."""
    from rich.console import Console

    from export import pipeline
    from export.errors import ExportError
    from export.publishing import prepare
    from export.variant import Variant

    monkeypatch.chdir(work)
    monkeypatch.setattr(prepare, "convert", altered_conversion)
    with pytest.raises(ExportError, match=r"largest difference .*, at most 1e-05"):
        pipeline.export(run_id, "mnist", tmp_path, Variant(), Console(quiet=True))
    assert list(tmp_path.iterdir()) == []


def altered_conversion(keras_file: Path, onnx_file: Path, takes: str) -> dict[str, str]:
    from export.graph.convert import convert

    tools = convert(keras_file, onnx_file, takes)
    graph = onnx.load(onnx_file)
    weights = max(graph.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = onnx.numpy_helper.to_array(weights).copy()
    values[400:410, 0] += 0.01
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(graph, onnx_file)
    return tools


def test_a_folder_that_cannot_be_written_is_one_line(
    work: Path, run_id: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    status, out, err = export(work, "--run", run_id, "--models", tmp_path / "file")
    assert (status, out) == (1, "")
    assert err.splitlines()[-1] == f"export: {tmp_path}/file: cannot publish: Not a directory"


def test_says_what_to_do_without_a_store(tmp_path: Path) -> None:
    status, out, err = export(tmp_path, "--best")
    assert (status, out) == (1, "")
    assert "train a model first (python -m train), or set MLFLOW_TRACKING_URI" in err
    assert list(tmp_path.iterdir()) == []


def test_needs_to_be_told_which_run(work: Path) -> None:
    status, _, err = export(work)
    assert status == 2
    assert "one of the arguments --run --best is required" in err


def test_an_empty_run_id_is_refused(work: Path) -> None:
    """As from a shell variable that is not set."""
    status, _, err = export(work, "--run", "")
    assert status == 2
    assert "argument --run: expected the id of a run, got nothing" in err


def test_works_where_only_the_tracking_store_is_reached(
    work: Path, run_id: str, tmp_path: Path
) -> None:
    """The data that the run was trained on need not be on this machine."""
    hidden = work / "subset.npz.hidden"
    shutil.move(work / "subset.npz", hidden)
    try:
        status, _, err = export(work, "--run", run_id, "--models", tmp_path)
    finally:
        shutil.move(hidden, work / "subset.npz")
    assert status == 0, err
