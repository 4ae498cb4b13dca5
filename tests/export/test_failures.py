"""What goes wrong in the middle leaves nothing half published."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import mlflow
import numpy as np
import pytest

from bundle import layout, reader
from tests.commands import export
from tests.conftest import python_environment, run


def command(run_id: str, models: Path) -> list[str]:
    options = ["--name", "mnist", "--models", str(models)]
    return [sys.executable, "-m", "export", "--run", run_id, *options]


def test_a_full_disk(work: Path, run_id: str, tmp_path: Path) -> None:
    """A file system of 150 kB; the model alone has 205."""
    models = tmp_path / "models"
    models.mkdir()
    script = (
        "mount --make-rprivate / 2> /dev/null;"
        ' mount -t tmpfs -o size=150k small "$0" && "$@"; status=$?;'
        ' find "$0" -mindepth 1; exit $status'
    )
    unshare = ["unshare", "--mount", "--propagation", "unchanged"]  # which works in a chroot, too
    unshare += [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    if run(*unshare, "true").returncode:
        pytest.skip("this system lets only root mount a file system of its own")
    mounted = [*unshare, "sh", "-c", script, str(models)]
    done = run(*mounted, *command(run_id, models), cwd=work, env=python_environment())
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"export: {models}: cannot publish: No space left on device"
    )
    assert done.stdout.split() == [f"{models}/mnist", f"{models}/mnist/config.pbtxt"]


def test_killed_while_it_publishes(work: Path, run_id: str, tmp_path: Path) -> None:
    """Then done again: it gets the number that the killed one would have had."""
    models = tmp_path / "models"
    # The real command, but its disk takes for ever to flush the model.
    slow = (
        "import os, sys, time; from pathlib import Path; from export import __main__\n"
        "def flush(descriptor):\n"
        "    if list(Path(sys.argv[-1]).glob('mnist/.publishing-*/model.onnx')):\n"
        "        print('writing', flush=True)\n"
        "        time.sleep(600)\n"
        "os.fsync = flush\n"
        "sys.exit(__main__.main())"
    )
    _, _, _, *arguments = command(run_id, models)
    process = subprocess.Popen(
        [sys.executable, "-c", slow, *arguments],
        cwd=work,
        env=python_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert layout.versions(models, "mnist") == []
    status, out, err = export(work, "--run", run_id, "--name", "mnist", "--models", models)
    assert (status, out) == (0, f"{models}/mnist/1\n"), err
    assert sorted(path.name for path in (models / "mnist").iterdir()) == [
        *("1", "config.pbtxt", "published.txt")
    ]
    assert reader.read_version(models, "mnist", 1).manifest


@pytest.fixture
def narrow(run_id: str, tmp_path: Path, tracked: None) -> Iterator[str]:
    """A finished run whose model takes rows of 100 values, and its test set has 784."""
    client = mlflow.MlflowClient()
    made = client.create_run(client.get_run(run_id).info.experiment_id).info.run_id
    yield _filled(client, run_id, made, tmp_path)
    client.delete_run(made)


def _filled(client: mlflow.MlflowClient, run_id: str, made: str, folder: Path) -> str:
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with mlflow.start_run(run_id=made):
        signature = mlflow.models.infer_signature(np.zeros((1, 100), "f4"), np.zeros((1, 10), "f4"))
        mlflow.tensorflow.log_model(
            model, name="model", signature=signature, pip_requirements=["keras"]
        )
    test_set = client.download_artifacts(run_id, "data/test.npz", str(folder))
    client.log_artifact(made, test_set, "data")
    return made


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_a_model_of_another_shape(work: Path, narrow: str, tmp_path: Path) -> None:
    models = tmp_path / "models"
    status, _, err = export(work, "--run", narrow, "--name", "narrow", "--models", models)
    assert status == 1
    assert err.splitlines()[-1] == (
        f"export: the model of run {narrow} takes rows of shape [100], and those of its test set"
        " have the shape [784]"
    )
    assert not models.exists()


def test_bytes_are_refused_where_the_data_are_none(
    work: Path, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracked: None
) -> None:
    from rich.console import Console

    from export import pipeline, source_run
    from export.errors import ExportError
    from export.variant import Variant

    load = source_run.load

    def halved(run_id: str, folder: Path) -> source_run.SourceRun:
        import dataclasses

        whole = load(run_id, folder)
        return dataclasses.replace(whole, x_test=whole.x_test / 2)

    monkeypatch.setattr(source_run, "load", halved)
    with pytest.raises(ExportError, match=r"--input uint8: the test set has values from 0 to 127"):
        pipeline.export(run_id, "m", tmp_path, Variant(input="uint8"), Console(quiet=True))
