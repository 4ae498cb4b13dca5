"""Runs that are interrupted, killed, and gone on with."""

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

from tests.commands import call
from tests.conftest import python_environment, run
from tests.train.runs import statuses
from train.run_options import of_preset
from train.training.checkpoint import Checkpoint


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


@pytest.mark.parametrize("how", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGINT)])
def test_an_interrupted_run_is_marked_killed(
    work: Path, folder: Path, how: tuple[signal.Signals, ...]
) -> None:
    long_epochs = ("--data", str(work / "subset.npz"), "--batch-size", "1")
    process = begun(work, folder, *ENDLESS, *long_epochs)
    os.kill(process.pid, how[0])
    for number in how[1:]:
        wait_for(process, "training ends after this epoch")
        os.kill(process.pid, number)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (130, "")
    last = err.splitlines()[-1]
    assert last.startswith("train: interrupted; the run is marked KILLED")
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
    assert ended.data.metrics["val_accuracy"] > 0
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


ONE_AFTER_ANOTHER = """
import json, sys
from train import __main__
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    if status := __main__.main():
        sys.exit(status)
"""


def test_a_killed_run_goes_on_to_the_same_weights(work: Path, folder: Path) -> None:
    killed = begun(work, folder, *DETERMINISTIC)
    killed.kill()
    killed.communicate()
    (run_id,) = {path.name for path in (folder / "checkpoints").iterdir()}
    whole = ["--data", str(work / "few.npz"), *DETERMINISTIC]
    # All in one process, which is not this one: it can't be made less deterministic again.
    commands = json.dumps([whole, whole, ["--resume", run_id]])
    done = run(
        *(sys.executable, "-c", ONE_AFTER_ANOTHER, commands), cwd=folder, env=python_environment()
    )
    assert done.returncode == 0, done.stderr
    first, second, resumed_id = done.stdout.split()
    assert resumed_id == run_id
    one, same, resumed = (trained_weights(folder, each) for each in (first, second, run_id))
    for expected, got in zip(one, same, strict=True):
        np.testing.assert_array_equal(expected, got)
    for expected, got in zip(one, resumed, strict=True):
        np.testing.assert_allclose(expected, got, rtol=0, atol=1e-6)
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    assert client.get_run(run_id).info.status == "FINISHED"
    curves = [
        # Where the kill fell between the record and the checkpoint, an epoch is there twice.
        {point.step: point.value for point in client.get_metric_history(each, "epoch/val_accuracy")}
        for each in (first, run_id)
    ]
    assert len(curves[0]) == 6
    assert curves[1] == pytest.approx(curves[0], abs=1e-6)
    assert list((folder / "checkpoints").iterdir()) == []


def test_a_run_is_not_resumed_on_other_data(work: Path, folder: Path) -> None:
    options = of_preset("fast", data=(str(work / "few.npz"),))
    Checkpoint(folder / "checkpoints", "r").create(options, "0" * 64)
    done = call("train", "--resume", "r", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"train: run r was started on other data: their sha256 was {'0' * 64}"
    )
    assert done.stderr.count("\n") == 1


def test_there_is_nothing_to_resume(tmp_path: Path) -> None:
    done = call("train", "--resume", "0" * 32, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"train: checkpoints/{'0' * 32}: no checkpoint; only")
