"""What a real training run leaves in MLflow; the run is the one that all tests share."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pytest
from mlflow.entities import Run

from tests.conftest import SUBSET_TEST, python_environment, run
from train import data


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
        "augment": "False",
        "label_smoothing": "0.0",
        "hidden": "64",
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
        "batch_size": "256",
        "validation_split": "0.1",
        "seed": "0",
        "dataset": "subset",
        "dataset_sha256": data.read(work / "subset.npz").sha256,
        "parameters": str(784 * 64 + 64 + 64 * 10 + 10),
    }


def test_metrics_of_every_epoch_and_of_the_model(client: mlflow.MlflowClient, trained: Run) -> None:
    metrics = trained.data.metrics
    curve = client.get_metric_history(trained.info.run_id, "epoch/val_accuracy")
    assert [point.step for point in curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    best = max(curve, key=lambda point: point.value)
    assert metrics["best_epoch"] == best.step
    assert metrics["val_accuracy"] == pytest.approx(best.value, abs=1e-6)
    assert 0.85 < metrics["test_accuracy"] < 1
    assert metrics["test_loss"] > 0
    assert 0 < metrics["train_seconds"] < 600
    assert trained.info.status == "FINISHED"


def test_commit_and_data_set(trained: Run) -> None:
    commit = trained.data.tags["mlflow.source.git.commit"]
    assert run("git", "cat-file", "-t", commit).stdout == "commit\n"
    assert trained.data.tags["git_dirty"] in ("true", "false")
    inputs = {i.tags[0].value: i.dataset for i in trained.inputs.dataset_inputs}
    assert inputs.keys() == {"training", "test"}
    assert {entry.name for entry in inputs.values()} == {"subset"}
    assert len({entry.digest for entry in inputs.values()}) == 2
    shape = json.loads(inputs["test"].profile)["features_shape"]
    assert shape == [SUBSET_TEST, 784]


def test_figures_and_test_set(client: mlflow.MlflowClient, trained: Run, tmp_path: Path) -> None:
    run_id = trained.info.run_id
    figures = {Path(entry.path).name: entry for entry in client.list_artifacts(run_id, "figures")}
    assert figures.keys() == {"learning_curves.png", "confusion_matrix.png", "worst_mistakes.png"}
    for entry in figures.values():
        picture = Path(client.download_artifacts(run_id, entry.path, str(tmp_path)))
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert entry.file_size > 10_000
    kept = client.download_artifacts(run_id, "data/test.npz", str(tmp_path))
    with np.load(kept) as archive:
        assert archive["x_test"].shape == (SUBSET_TEST, 784)
        assert archive["y_test"][:3].tolist() == [7, 2, 1]


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
    with np.load("subset.npz") as archive:
        x, y = archive["x_test"].reshape(-1, 784).astype("f4"), archive["y_test"]
    model = mlflow.tensorflow.load_model(uri)
    accuracy = np.mean(model.predict(x, verbose=0).argmax(axis=1) == y)
    assert accuracy == pytest.approx(trained.data.metrics["test_accuracy"], abs=1e-6)
    (entry,) = mlflow.search_logged_models([trained.info.experiment_id], output_format="list")
    linked = {metric.key: metric.value for metric in entry.metrics}
    assert linked["test_accuracy"] == trained.data.metrics["test_accuracy"]


def begun(work: Path, folder: Path, *options: str) -> "subprocess.Popen[str]":
    """A run that has done an epoch."""
    command = [sys.executable, "-m", "train", "--data", str(work / "subset.npz")]
    process = subprocess.Popen(
        [*command, *options],
        cwd=folder,
        env=python_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(process, "epoch")
    return process


def wait_for(process: "subprocess.Popen[str]", beginning: str) -> None:
    assert process.stderr
    for line in process.stderr:
        if line.startswith(beginning):
            return
    raise AssertionError(f"no line begins with {beginning}")


ENDLESS = ("--epochs", "9999", "--hidden", "8")


@pytest.mark.parametrize(
    "how", [(signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGINT, signal.SIGINT)]
)
def test_an_interrupted_run_is_marked_killed(
    work: Path, tmp_path: Path, how: tuple[signal.Signals, ...]
) -> None:
    process = begun(work, tmp_path, *ENDLESS, "--batch-size", "1")  # which makes long epochs
    os.kill(process.pid, how[0])
    for number in how[1:]:
        wait_for(process, "ends after this epoch")
        os.kill(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    last = err.splitlines()[-1]
    assert last.startswith("train: interrupted; a run that had begun is marked KILLED")
    assert "Traceback" not in err
    assert statuses(tmp_path) == ["KILLED"]


def test_ctrl_c_ends_after_the_epoch_with_a_model(work: Path, tmp_path: Path) -> None:
    process = begun(work, tmp_path, *ENDLESS)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    ended = client.get_run(out.strip())
    assert ended.info.status == "FINISHED"
    epochs = int(ended.data.tags["ended_after_epoch"])
    assert 1 <= epochs < 9999
    assert len(client.get_metric_history(out.strip(), "epoch/loss")) == epochs
    assert ended.data.metrics["test_accuracy"] > 0
    assert not (tmp_path / "checkpoints" / out.strip()).exists()


DETERMINISTIC = (
    *("--hidden", "16,16", "--batch-norm", "--dropout", "0.3", "--augment", "--epochs", "6"),
    *("--optimizer", "adamw", "--schedule", "cosine", "--warmup", "1", "--deterministic"),
)


def trained_weights(folder: Path, run_id: str) -> list[np.ndarray[Any, Any]]:
    (found,) = (path for path in folder.rglob("MLmodel") if run_id in path.read_text())
    network = keras.models.load_model(found.parent / "data/model.keras")
    weights: list[np.ndarray[Any, Any]] = network.get_weights()
    return weights


def test_a_killed_run_goes_on_to_the_same_weights(work: Path, tmp_path: Path) -> None:
    whole = begun(work, tmp_path, *DETERMINISTIC)
    first, err = whole.communicate(timeout=120)
    assert whole.returncode == 0, err
    again = begun(work, tmp_path, *DETERMINISTIC)
    second, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    for one, same in zip(
        trained_weights(tmp_path, first.strip()),
        trained_weights(tmp_path, second.strip()),
        strict=True,
    ):
        np.testing.assert_array_equal(one, same)

    killed = begun(work, tmp_path, *DETERMINISTIC)
    killed.kill()
    killed.communicate()
    (run_id,) = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    done = run(
        *(sys.executable, "-m", "train", "--resume", run_id),
        cwd=tmp_path,
        env=python_environment(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == run_id
    for one, other in zip(
        trained_weights(tmp_path, first.strip()), trained_weights(tmp_path, run_id), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    resumed = client.get_run(run_id)
    assert resumed.info.status == "FINISHED"
    curves = [
        # Where the kill fell between the record and the checkpoint, an epoch is there twice.
        {point.step: point.value for point in client.get_metric_history(one, "epoch/val_accuracy")}
        for one in (first.strip(), run_id)
    ]
    assert len(curves[0]) == 6
    assert curves[1] == pytest.approx(curves[0], abs=1e-6)
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_there_is_nothing_to_resume(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "train", "--resume", "0" * 32)
    done = run(*command, cwd=tmp_path, env=python_environment())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"train: checkpoints/{'0' * 32}: nothing to go on with")


def test_a_teacher_is_learned_from(work: Path, tmp_path: Path) -> None:
    """A student that sees no label at all comes close to its teacher."""

    def trained_with(*options: str) -> Run:
        process = begun(work, tmp_path, "--epochs", "4", "--dropout", "0", *options)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_run(out.strip())

    teacher = trained_with("--hidden", "64")
    student = trained_with("--hidden", "32", "--teacher", teacher.info.run_id)
    assert student.data.params["teacher"] == teacher.info.run_id
    accuracy = [one.data.metrics["test_accuracy"] for one in (teacher, student)]
    assert accuracy[1] > accuracy[0] - 0.05


def test_a_teacher_that_is_none(work: Path, tmp_path: Path) -> None:
    command = ("train", "--data", work / "subset.npz", "--teacher", "0" * 32)
    done = run(sys.executable, "-m", *command, cwd=tmp_path, env=python_environment())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"train: teacher {'0' * 32}: no Keras model: ")
    assert done.stderr.count("\n") == 1


def test_a_run_that_fails_is_marked_failed(work: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from train import model, __main__\n"
        "def fail(*_): raise RuntimeError('on purpose')\n"
        "model.build = fail\n"
        f"sys.argv = ['train', '--data', {str(work / 'subset.npz')!r}]\n"
        "__main__.main()"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path, env=python_environment())
    assert "on purpose" in done.stderr
    assert statuses(tmp_path) == ["FAILED"]


def test_bad_data_is_one_line_and_leaves_no_run(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "train", "--data", "nowhere")
    done = run(*command, cwd=tmp_path, env=python_environment())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "train: nowhere: no such file or folder\n"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_tracking_server_is_one_line(work: Path, tmp_path: Path) -> None:
    environment = python_environment(
        MLFLOW_TRACKING_URI="http://127.0.0.1:9", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0"
    )
    command = (sys.executable, "-m", "train", "--data", work / "subset.npz")
    done = run(*command, cwd=tmp_path, env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("train: MLflow at http://127.0.0.1:9: ")
    assert done.stderr.count("\n") == 1


def test_a_damaged_store_is_one_line(work: Path, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 1000)
    for command in (("train", "--data", work / "subset.npz"), ("export", "--best")):
        done = run(sys.executable, "-m", *command, cwd=tmp_path, env=python_environment())
        assert (done.returncode, done.stdout) == (1, "")
        assert "file is not a database" in done.stderr
        assert done.stderr.count("\n") == 1


def test_too_few_images_to_split(work: Path, tmp_path: Path) -> None:
    with np.load(work / "subset.npz") as subset:
        np.savez(tmp_path / "few.npz", **{key: subset[key][:40] for key in subset.files})
    command = ("train", "--data", tmp_path / "few.npz", "--validation-split", "0.99")
    done = run(sys.executable, "-m", *command, cwd=tmp_path, env=python_environment())
    assert done.returncode == 1
    assert "40 training images leave none to train on" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["few.npz"]


def statuses(folder: Path) -> list[str]:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'mnist'")
    return [entry.info.status for entry in client.search_runs([experiment.experiment_id])]
