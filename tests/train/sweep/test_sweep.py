"""Sweeps as their users run them."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import optuna
import pytest
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tests.commands import call
from tests.conftest import python_environment
from tests.train.conftest import SEEDS, Swept

SEARCH = """
[options]
epochs = {epochs}
[search]
trials = {trials}
[search.space]
width = {{ low = 4, high = 32, log = true }}
depth = {{ low = 1, high = 2 }}
optimizer = {{ choices = ["adam", "sgd"] }}
"""


def sweep(work: Path, *arguments: str) -> list[str]:
    return [
        *(sys.executable, "-m", "train", "sweep", *arguments),
        *("--data", str(work / "few.npz")),
    ]


@contextmanager
def started(work: Path, folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        sweep(work, *arguments),
        cwd=folder,
        env=python_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: "subprocess.Popen[str]", part: str) -> None:
    assert process.stderr
    assert any(part in line for line in process.stderr), part


def children(folder: Path, parent: str) -> list[Run]:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_run(parent).info.experiment_id
    return client.search_runs([experiment], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent}'")


def test_makes_the_runs_of_a_plan_below_one(swept: Swept) -> None:
    parts = children(swept.folder, swept.parent)
    names = Counter(part.info.run_name for part in parts)
    assert names == Counter(f"{name}, seed {s}" for name in ("wide", "narrow") for s in SEEDS)
    for part in parts:
        name, _, seed = part.info.run_name.partition(", seed ")
        assert part.info.status == "FINISHED"
        assert part.data.params["seed"] == seed
        assert part.data.params["hidden"] == {"wide": "32", "narrow": "8"}[name]
        assert part.data.params["epochs"] == "2"
        assert part.data.tags["sweep"] == swept.study
    client = mlflow.MlflowClient(f"sqlite:///{swept.folder}/mlflow.db")
    parent = client.get_run(swept.parent)
    assert parent.info.status == "FINISHED"
    assert parent.data.params == {"plan": "two"}
    best = max(part.data.metrics["val_accuracy"] for part in parts)
    assert parent.data.metrics == {"best_val_accuracy": best}
    assert "val_accuracy" not in parent.data.metrics  # it would be exported as the best model


def test_a_run_of_a_sweep_is_the_run_that_one_makes_alone(swept: Swept, work: Path) -> None:
    options = ("--hidden", "8", "--epochs", "2", "--seed", "1")
    alone = call("train", "--data", work / "subset.npz", *options, cwd=swept.folder)
    assert alone.returncode == 0, alone.stderr
    client = mlflow.MlflowClient(f"sqlite:///{swept.folder}/mlflow.db")
    single = client.get_run(alone.stdout.strip())
    (same,) = (
        part
        for part in children(swept.folder, swept.parent)
        if part.info.run_name == "narrow, seed 1"
    )
    assert single.data.params == same.data.params
    assert single.data.metrics["val_loss"] == pytest.approx(same.data.metrics["val_loss"], rel=1e-3)


def test_progress_says_what_is_done_and_left(swept: Swept) -> None:
    lines = swept.told.splitlines()
    assert any("(3 of 4 done  best " in line and line.endswith(" left)") for line in lines)
    ended = [line for line in lines if ": validation " in line]
    assert len(ended) == 4
    assert f"--study {swept.study}" in swept.told


def test_a_killed_process_loses_only_its_run(work: Path, folder: Path) -> None:
    (folder / "own.toml").write_text(SEARCH.format(epochs=12, trials=6))
    arguments = ("own.toml", "--study", "shared", "--batch-size", "4")
    with started(work, folder, *arguments) as first:
        wait_for(first, "(0 of 6 done)")
        with started(work, folder, *arguments) as second:
            wait_for(second, "of 6 done")
            wait_until_it_trains(first, folder)
            first.kill()
            out, err = second.communicate(timeout=240)
            assert second.returncode == 0, err
    parts = children(folder, out.strip())
    statuses = Counter(
        "pruned" if "pruned_after_epoch" in part.data.tags else part.info.status for part in parts
    )
    assert statuses["KILLED"] == 1
    assert statuses["FINISHED"] + statuses["pruned"] == 6
    study = optuna.load_study(study_name="shared", storage=f"sqlite:///{folder}/sweeps.db")
    states = Counter(trial.state.name for trial in study.trials)
    assert states["COMPLETE"] + states["PRUNED"] == 6
    best = max(part.data.metrics.get("val_accuracy", 0) for part in parts)
    assert study.best_value == best


def wait_until_it_trains(process: "subprocess.Popen[str]", folder: Path) -> None:
    """Until the run that a process says it makes now has had an epoch, and not its last."""
    assert process.stderr
    begun = (line.partition(" (")[0] for line in process.stderr if " done" in line)
    assert any(has_an_epoch(folder, name) for name in begun)


def has_an_epoch(folder: Path, name: str) -> bool:
    """Wait for a run's first epoch; false where the run has ended before it was seen."""
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'few'")
    for _ in range(600):
        named = f"attributes.run_name = '{name}'"
        for found in client.search_runs([experiment.experiment_id], named):
            if found.info.status != "RUNNING":
                return False
            if "epoch/loss" in found.data.metrics:
                return True
        time.sleep(0.1)
    raise AssertionError(f"{name} does not train")


def test_an_interrupted_sweep_goes_on(work: Path, folder: Path) -> None:
    (folder / "own.toml").write_text("[[runs]]\nname = 'a'\n[[runs]]\nname = 'b'\n")
    arguments = ("own.toml", "--study", "own", "--hidden", "8", "--batch-size", "8")
    with started(work, folder, *arguments, "--epochs", "30") as process:
        wait_for(process, "(0 of 2 done)")
        assert has_an_epoch(folder, "a, seed 0")
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "train: interrupted; continue with --study own" in err
    assert "Traceback" not in err
    whole = ("sweep", *arguments, "--epochs", "30", "--data", work / "few.npz")
    again = call("train", *whole, cwd=folder)
    assert again.returncode == 0, again.stderr
    made = [
        part.info.run_name
        for part in children(folder, again.stdout.strip())
        if "ended_after_epoch" not in part.data.tags
    ]
    assert sorted(made) == ["a, seed 0", "b, seed 0"]
    changed = ("sweep", *arguments, "--epochs", "2", "--data", work / "few.npz")
    other = call("train", *changed, cwd=folder)
    assert other.returncode == 1
    assert "study own is of another sweep: epochs is 30, not 2" in other.stderr


def test_storage_that_is_none(work: Path, tmp_path: Path) -> None:
    storage = ("--storage", "mysql://127.0.0.1:1/none")
    done = call("train", "sweep", "regularization", *storage, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("train: --storage mysql://127.0.0.1:1/none: ")
    assert "Traceback" not in done.stderr
