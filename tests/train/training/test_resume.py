"""Runs that are interrupted, killed, and gone on with."""

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

from tests.commands import call
from tests.conftest import python_environment, run


def begun(work: Path, folder: Path, *options: str) -> "subprocess.Popen[str]":
    """A run that has done an epoch."""
    command = [sys.executable, "-m", "train", "--data", str(work / "few.npz")]
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
    work: Path, folder: Path, how: tuple[signal.Signals, ...]
) -> None:
    long_epochs = ("--data", str(work / "subset.npz"), "--batch-size", "1")
    process = begun(work, folder, *ENDLESS, *long_epochs)
    os.kill(process.pid, how[0])
    for number in how[1:]:
        wait_for(process, "ends after this epoch")
        os.kill(process.pid, number)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (130, "")
    last = err.splitlines()[-1]
    assert last.startswith("train: interrupted; a run that had begun is marked KILLED")
    assert "Traceback" not in err
    assert statuses(folder) == ["KILLED"]


def test_ctrl_c_ends_after_the_epoch_with_a_model(work: Path, folder: Path) -> None:
    process = begun(work, folder, *ENDLESS)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    ended = client.get_run(out.strip())
    assert ended.info.status == "FINISHED"
    epochs = int(ended.data.tags["ended_after_epoch"])
    assert 1 <= epochs < 9999
    assert len(client.get_metric_history(out.strip(), "epoch/loss")) == epochs
    assert ended.data.metrics["test_accuracy"] > 0
    assert not (folder / "checkpoints" / out.strip()).exists()


DETERMINISTIC = (
    *("--hidden", "16,16", "--batch-norm", "--dropout", "0.3", "--augment", "--epochs", "6"),
    *("--batch-size", "32"),
    *("--optimizer", "adamw", "--schedule", "cosine", "--warmup", "1", "--deterministic"),
)


def trained_weights(folder: Path, run_id: str) -> list[np.ndarray[Any, Any]]:
    (found,) = (path for path in folder.rglob("MLmodel") if run_id in path.read_text())
    network = keras.models.load_model(found.parent / "data/model.keras")
    weights: list[np.ndarray[Any, Any]] = network.get_weights()
    return weights


def test_a_killed_run_goes_on_to_the_same_weights(work: Path, folder: Path) -> None:
    whole = begun(work, folder, *DETERMINISTIC)
    first, err = whole.communicate(timeout=240)
    assert whole.returncode == 0, err
    again = begun(work, folder, *DETERMINISTIC)
    second, err = again.communicate(timeout=240)
    assert again.returncode == 0, err
    for one, same in zip(
        trained_weights(folder, first.strip()),
        trained_weights(folder, second.strip()),
        strict=True,
    ):
        np.testing.assert_array_equal(one, same)

    killed = begun(work, folder, *DETERMINISTIC)
    killed.kill()
    killed.communicate()
    (run_id,) = {path.name for path in (folder / "checkpoints").iterdir()}
    done = run(
        *(sys.executable, "-m", "train", "--resume", run_id),
        cwd=folder,
        env=python_environment(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == run_id
    for one, other in zip(
        trained_weights(folder, first.strip()), trained_weights(folder, run_id), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    resumed = client.get_run(run_id)
    assert resumed.info.status == "FINISHED"
    curves = [
        # Where the kill fell between the record and the checkpoint, an epoch is there twice.
        {point.step: point.value for point in client.get_metric_history(one, "epoch/val_accuracy")}
        for one in (first.strip(), run_id)
    ]
    assert len(curves[0]) == 6
    assert curves[1] == pytest.approx(curves[0], abs=1e-6)
    assert list((folder / "checkpoints").iterdir()) == []


def test_there_is_nothing_to_resume(tmp_path: Path) -> None:
    done = call("train", "--resume", "0" * 32, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"train: checkpoints/{'0' * 32}: nothing to go on with")


def statuses(folder: Path) -> list[str]:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'mnist'")
    return [entry.info.status for entry in client.search_runs([experiment.experiment_id])]
