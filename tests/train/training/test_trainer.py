"""What a real training run leaves in MLflow; the run is the one that all tests share."""

import json
import re
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.entities import Run
from mlflow.models import Model

from tests.commands import call
from tests.conftest import run
from tests.models.shared import SUBSET_TEST, SUBSET_TRAIN
from tests.train.reading.reads import read
from tests.train.runs import statuses
from tracking import artifacts
from train.data.split import split
from train.network import dense_network
from train.run_options import of_preset


@pytest.fixture(scope="module")
def client(work: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{work}/mlflow.db")


@pytest.fixture(scope="module")
def trained(client: mlflow.MlflowClient) -> Run:
    (experiment,) = client.search_experiments(filter_string="name = 'mnist'")
    (only,) = client.search_runs([experiment.experiment_id])
    return only


def test_parameters(trained: Run, work: Path) -> None:
    params = trained.data.params
    assert params == {
        "preset": "default",
        "task": "classification",
        "target": "None",
        "drop": "None",
        "id": "None",
        "unknown_categories": "refuse",
        "size": "28",
        "test_split": "0.2",
        "fold": "None",
        "class_weights": "none",
        "augment": "False",
        "rotation": "9.0",
        "scale": "0.09",
        "shear": "0.09",
        "shift": "1.2",
        "displacement": "20.0",
        "label_smoothing": "0.0",
        "hidden": "64",
        "filters": "None",
        "start": "None",
        "dropout": "0.4",
        "l2": "0.0",
        "batch_norm": "False",
        "optimizer": "adam",
        "learning_rate": "0.001",
        "momentum": "0.0",
        "weight_decay": "0.0",
        "schedule": "cosine",
        "warmup": "0.0",
        "teacher": "None",
        "temperature": "2.0",
        "deterministic": "False",
        "epochs": "8",
        "keep": "best",
        "batch_size": "256",
        "validation_split": "0.1",
        "split_seed": "0",
        "seed": "0",
        "dataset": "subset",
        "dataset_sha256": read(work / "subset.npz").sha256,
        "parameters": str(784 * 64 + 64 + 64 * 10 + 10),
    }


def test_metrics_of_every_epoch_and_of_the_model(client: mlflow.MlflowClient, trained: Run) -> None:
    metrics = trained.data.metrics
    curve = client.get_metric_history(trained.info.run_id, "epoch/val_accuracy")
    assert [point.step for point in curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    best = max(curve, key=lambda point: point.value)
    assert metrics["kept_epoch"] == best.step
    assert metrics["val_accuracy"] == pytest.approx(best.value, abs=1e-6)
    assert 0.85 < metrics["val_accuracy"] < 1
    assert 0.98 < metrics["val_auc"] < 1
    assert abs(metrics["val_f1"] - metrics["val_accuracy"]) < 0.02
    # Only exports measure the test set: the accuracy of each form of the model.
    tested = [name for name in metrics if "test_" in name]
    assert "test_accuracy" in tested
    assert all(name.endswith("test_accuracy") for name in tested)
    assert metrics["val_loss"] == pytest.approx(
        client.get_metric_history(trained.info.run_id, "epoch/val_loss")[best.step - 1].value, 1e-4
    )
    assert 0 < metrics["train_seconds"] < 600
    assert trained.info.status == "FINISHED"


def test_commit_and_data_set(trained: Run) -> None:
    commit = trained.data.tags["mlflow.source.git.commit"]
    assert run("git", "cat-file", "-t", commit).stdout == "commit\n"
    assert trained.data.tags["git_dirty"] in ("true", "false")
    inputs = {i.tags[0].value: i.dataset for i in trained.inputs.dataset_inputs}
    assert inputs.keys() == {"training", "validation", "test"}
    assert {entry.name for entry in inputs.values()} == {"subset"}
    assert len({entry.digest for entry in inputs.values()}) == 3
    rows = {part: json.loads(entry.profile)["features_shape"][0] for part, entry in inputs.items()}
    held_out = SUBSET_TRAIN // 10
    assert rows == {
        "training": SUBSET_TRAIN - held_out,
        "validation": held_out,
        "test": SUBSET_TEST,
    }


def test_figures_and_test_set(client: mlflow.MlflowClient, trained: Run, tmp_path: Path) -> None:
    run_id = trained.info.run_id
    figures = {Path(entry.path).name: entry for entry in client.list_artifacts(run_id, "figures")}
    assert figures.keys() == {
        *("learning_curves.png", "confusion_matrix.png", "reliability.png", "worst_mistakes.png")
    }
    for entry in figures.values():
        picture = Path(client.download_artifacts(run_id, entry.path, str(tmp_path)))
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert entry.file_size > 10_000
    kept = client.download_artifacts(run_id, "data/test.npz", str(tmp_path))
    with np.load(kept) as archive:
        assert archive["x_test"].shape == (SUBSET_TEST, 784)
        assert archive["y_test"][:3].tolist() == [7, 2, 1]


def test_the_result_of_each_validation_row_is_kept(
    client: mlflow.MlflowClient, trained: Run, work: Path, tmp_path: Path
) -> None:
    kept = client.download_artifacts(trained.info.run_id, artifacts.VALIDATION, str(tmp_path))
    truth, predicted, loss = artifacts.read_arrays(Path(kept), "truth", "predicted", "loss")
    _, (_, expected) = split(read(work / "subset.npz"), of_preset())
    assert (predicted.dtype, loss.dtype) == (np.uint8, np.float32)
    np.testing.assert_array_equal(truth, expected)
    metrics = trained.data.metrics
    assert (predicted == truth).mean() == pytest.approx(metrics["val_accuracy"])
    assert loss.mean() == pytest.approx(metrics["val_loss"], rel=1e-4)


def test_calibration_rows_are_training_rows(
    client: mlflow.MlflowClient, trained: Run, work: Path, tmp_path: Path
) -> None:
    """Not those that the quantized model is validated on."""
    kept = client.download_artifacts(trained.info.run_id, "data/calibration.npz", str(tmp_path))
    with np.load(kept) as archive:
        rows = {row.tobytes() for row in archive["x_train"].astype(np.float32)}
    training, validation = split(read(work / "subset.npz"), of_preset())
    assert len(rows) > 490
    assert rows <= {row.tobytes() for row in training[0]}
    assert rows.isdisjoint(row.tobytes() for row in validation[0])


def test_the_logged_model_answers_as_measured(
    trained: Run, work: Path, monkeypatch: pytest.MonkeyPatch, tracked: None
) -> None:
    monkeypatch.chdir(work)
    uri = f"runs:/{trained.info.run_id}/model"
    described = mlflow.models.get_model_info(uri)
    assert described.signature.inputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, 784)
    assert described.signature.outputs.to_dict()[0]["tensor-spec"]["shape"] == (-1, 10)
    assert described.saved_input_example_info
    assert json.loads(described.metadata["labels"]) == [str(n) for n in range(10)]
    assert json.loads(described.metadata["range"]) == [0, 255]
    assert described.metadata["task"] == "classification"
    assert "features" not in described.metadata
    _, (x, y) = split(read(work / "subset.npz"), of_preset())
    model = mlflow.tensorflow.load_model(uri)
    accuracy = np.mean(model.predict(x, verbose=0).argmax(axis=1) == y)
    assert accuracy == pytest.approx(trained.data.metrics["val_accuracy"], abs=1e-6)
    entries = mlflow.search_logged_models(
        [trained.info.experiment_id], filter_string="name = 'model'", output_format="list"
    )
    (entry,) = (one for one in entries if one.source_run_id == trained.info.run_id)
    linked = {metric.key: metric for metric in entry.metrics}
    assert linked["val_accuracy"].value == trained.data.metrics["val_accuracy"]
    assert "test_accuracy" not in linked
    digests = {i.tags[0].value: i.dataset.digest for i in trained.inputs.dataset_inputs}
    assert linked["val_accuracy"].dataset_digest == digests["validation"]
    assert linked["train_seconds"].dataset_digest == digests["training"]


def test_a_teacher_is_learned_from(work: Path, folder: Path) -> None:
    """A student that sees no label at all comes close to its teacher."""

    def trained_with(*options: str) -> Run:
        data = ("--data", work / "subset.npz", "--epochs", "4", "--dropout", "0")
        done = call("train", *data, *options, cwd=folder)
        assert done.returncode == 0, done.stderr
        return mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db").get_run(done.stdout.strip())

    names = [f"digit {number}" for number in range(10)]
    (folder / "labels.txt").write_text("\n".join(names))
    teacher = trained_with("--hidden", "64", "--class-names", "labels.txt")
    (described,) = folder.rglob("MLmodel")
    assert json.loads(Model.load(described).metadata["labels"]) == names
    student = trained_with("--hidden", "32", "--teacher", teacher.info.run_id, "--keep", "last")
    assert student.data.metrics["kept_epoch"] == 4
    assert student.data.params["teacher"] == teacher.info.run_id
    accuracy = [one.data.metrics["val_accuracy"] for one in (teacher, student)]
    assert accuracy[1] > accuracy[0] - 0.05
    leaking = ("--teacher", teacher.info.run_id, "--split-seed", "1")
    done = call("train", "--data", work / "subset.npz", *leaking, cwd=folder)
    assert done.returncode == 1
    assert "its split_seed is 0, not 1; a run must be validated on rows" in done.stderr


def test_a_teacher_that_is_none(work: Path, tmp_path: Path) -> None:
    teacher = ("--teacher", "0" * 32)
    done = call("train", "--data", work / "subset.npz", *teacher, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"train: teacher {'0' * 32}: no Keras model: ")
    assert "Traceback" not in done.stderr


def test_a_run_that_fails_is_marked_failed(
    work: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(dense_network, "build", fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        call("train", "--data", work / "subset.npz", cwd=folder)
    assert statuses(folder) == ["FAILED"]


def test_a_run_that_diverges_ends(work: Path, folder: Path) -> None:
    diverging = ("--optimizer", "sgd", "--learning-rate", "1e30", "--epochs", "9")
    done = call("train", "--data", work / "few.npz", *diverging, cwd=folder)
    assert done.returncode == 1
    assert re.search(r"train: the training loss is (nan|inf) after epoch \d; try", done.stderr)
    assert statuses(folder) == ["FAILED"]


def test_bad_data_is_one_line_and_leaves_no_run(tmp_path: Path) -> None:
    done = call("train", "--data", "nowhere", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "train: nowhere: no such file or folder, and no known data set\n"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_tracking_server_is_one_line(work: Path, tmp_path: Path) -> None:
    nobody = {
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    done = call("train", "--data", work / "subset.npz", cwd=tmp_path, **nobody)
    assert done.returncode == 1
    assert done.stderr.startswith("train: MLflow at http://127.0.0.1:9: ")
    assert done.stderr.count("\n") == 1


def test_a_damaged_store_is_one_line(work: Path, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 1000)
    for command in (("train", "--data", work / "subset.npz"), ("export", "--best")):
        done = call(*command, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "file is not a database" in done.stderr
        assert done.stderr.count("\n") == 1


def test_too_few_images_to_split(work: Path, tmp_path: Path) -> None:
    with np.load(work / "subset.npz") as subset:
        np.savez(tmp_path / "few.npz", **{key: subset[key][:40] for key in subset.files})
    data = ("--data", tmp_path / "few.npz")
    done = call("train", *data, "--validation-split", "0.99", cwd=tmp_path)
    assert done.returncode == 1
    assert "few: validation part of 99% leaves none of 40 rows for training" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["few.npz"]
