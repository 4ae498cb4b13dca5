"""What becomes of runs whose process is gone, asleep, or wanted to end."""

import contextlib
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from tests.conftest import python_environment
from train.errors import TrainError
from train.sweep.study import MAX_RETRIES, Result, Study

SPEC = {"epochs": 3, "runs": {"a": {}}}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/sweeps.db"


def study(url: str, runs: int = 2, spec: dict[str, Any] = SPEC) -> Study:
    trials = [{"run": "a", "seed": seed} for seed in range(runs)]
    return Study(url, "s", spec, trials, lambda: "parent", "val_accuracy")


def trials(url: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="s", storage=url).trials


def states(url: str) -> Counter[str]:
    return Counter(trial.state.name for trial in trials(url))


def give_up(trial: optuna.Trial, url: str) -> None:
    """What another process does with a run whose process is silent."""
    other = optuna.load_study(study_name="s", storage=url)
    other.tell(trial.number, state=TrialState.FAIL)
    other.enqueue_trial({}, user_attrs=trial.user_attrs)


@pytest.mark.parametrize("how", ["whole", "pruned", "broken"])
def test_a_process_that_was_asleep_goes_on_with_other_runs(url: str, how: str) -> None:
    slept = False

    def make(trial: optuna.Trial) -> Result:
        nonlocal slept
        if not slept:
            slept = True
            give_up(trial, url)
            if how == "pruned":
                raise optuna.TrialPruned
            if how == "broken":
                raise ValueError
        return Result(0.5, is_last=False)

    study(url).work(make)
    assert states(url) == {"FAIL": 1, "COMPLETE": 2}
    done = [trial.user_attrs["seed"] for trial in trials(url) if trial.value]
    assert sorted(done) == [0, 1]


@pytest.mark.parametrize("asleep", [False, True])
def test_an_interrupted_run_waits_once(url: str, asleep: bool) -> None:
    def make(trial: optuna.Trial) -> Result:
        if asleep:
            give_up(trial, url)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study(url).work(make)
    assert states(url) == {"FAIL": 1, "WAITING": 2}
    waiting = [t.user_attrs["seed"] for t in trials(url) if t.state == TrialState.WAITING]
    assert sorted(waiting) == [0, 1]


def test_a_whole_run_counts_though_it_is_the_last_one(url: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        study(url).work(lambda _: Result(0.5, is_last=True))
    assert states(url) == {"COMPLETE": 1, "WAITING": 1}


def test_a_run_that_fails_waits_again(url: str) -> None:
    def make(_: optuna.Trial) -> Result:
        raise TrainError("no space left")

    with pytest.raises(TrainError, match="no space left"):
        study(url).work(make)
    assert states(url) == {"FAIL": 1, "WAITING": 2}


def die(url: str) -> None:
    """What a process leaves that is killed while it runs a trial, long ago."""
    asked = optuna.load_study(study_name="s", storage=url)
    trial = asked.ask()
    trial.suggest_int("width", 1, 100)
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        database.execute(
            "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (?, '2000-01-01 00:00:00')",
            (trial._trial_id,),
        )
        database.commit()


def test_a_run_whose_process_always_dies_is_given_up(url: str) -> None:
    searched = study(url, runs=1)
    for _ in range(1 + MAX_RETRIES):
        die(url)
        optuna.storages.fail_stale_trials(searched._study)
    assert states(url) == {"FAIL": 1 + MAX_RETRIES}
    assert len({trial.params["width"] for trial in trials(url)}) == 1
    assert searched.missing == 1


def test_the_same_seed_searches_the_same(tmp_path: Path) -> None:
    def make(trial: optuna.Trial) -> Result:
        return Result(trial.suggest_float("dropout", 0, 1), is_last=False)

    proposed = []
    for seed, name in ((3, "a"), (3, "b"), (4, "c")):
        url = f"sqlite:///{tmp_path}/{name}.db"
        Study(
            url, "s", SPEC, [{"slot": n} for n in range(3)], lambda: "parent", "val_accuracy", seed
        ).work(make)
        proposed.append([trial.params["dropout"] for trial in trials(url)])
    assert proposed[0] == proposed[1] != proposed[2]


def test_importance_is_of_what_differed(url: str) -> None:
    def make(trial: optuna.Trial) -> Result:
        width = trial.suggest_int("width", 1, 100)
        trial.suggest_float("dropout", 0, 1)
        return Result(width / 100, is_last=False)

    searched = study(url, runs=60)  # with 15, chance made the other one look larger now and then
    assert searched.importance() == {}
    searched.work(make)
    parts = searched.importance()
    assert parts.keys() == {"width", "dropout"}
    assert parts["width"] > parts["dropout"]
    assert searched.status().best == max(trial.value or 0 for trial in trials(url))


def test_the_smallest_error_is_the_best(url: str) -> None:
    trials = [{"run": "a", "seed": seed} for seed in (3, 1, 2)]
    errors = Study(url, "s", SPEC, trials, lambda: "parent", "val_rmse")
    errors.work(lambda trial: Result(trial.user_attrs["seed"], is_last=False))
    assert errors.status().best == 1


def test_a_beginning_that_fails_leaves_no_study(url: str) -> None:
    def begin() -> str:
        raise TrainError("MLflow is away")

    with pytest.raises(TrainError):
        Study(url, "s", SPEC, [{"run": "a", "seed": 0}], begin, "val_accuracy")
    assert optuna.get_all_study_names(url) == []


def test_another_study_says_what_differs(url: str) -> None:
    study(url)
    with pytest.raises(TrainError, match="study s is of another sweep: epochs is 3, not 4"):
        study(url, spec=SPEC | {"epochs": 4})
    with pytest.raises(TrainError, match=r"of another sweep: runs is \{.a.: \{\}\}, not None"):
        study(url, spec={"epochs": 3})


def test_processes_may_begin_at_once(tmp_path: Path, url: str) -> None:
    code = (
        "from train.sweep.study import MAX_RETRIES, Result, Study;"
        f"s = Study({url!r}, 's', {SPEC!r}, [{{'seed': n}} for n in range(12)], lambda: 'p',"
        "    'val_accuracy');"
        "s.work(lambda trial: Result(trial.user_attrs['seed'] / 100, False))"
    )
    command = [sys.executable, "-c", code]
    processes = [
        subprocess.Popen(command, env=python_environment(), stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    done = Counter(trial.value for trial in trials(url) if trial.value is not None)
    assert done == Counter(number / 100 for number in range(12))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("nonsense", "--storage nonsense: not a database URL"),
        ("sqlite:///no/where/x.db", "--storage sqlite:///no/where/x.db: .*unable to open"),
        ("postgresql://u:secret@127.0.0.1:1/x", r"--storage postgresql://u:\*\*\*@127.0.0.1:1/x: "),
    ],
)
def test_a_storage_that_is_none(wrong: str, message: str) -> None:
    with pytest.raises(TrainError, match=message):
        study(wrong)
