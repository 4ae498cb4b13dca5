"""Trainings on tables, as their users run them."""

import json
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run

from bundle.features import Feature
from tests.commands import call
from tracking import artifacts

ROWS = 400
HALVES = """
[[runs]]
name = "first"
fold = "1/2"
[[runs]]
name = "second"
fold = "2/2"
"""


def client(folder: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")


def train(folder: Path, *options: str) -> Run:
    done = call("train", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return client(folder).get_run(done.stdout.strip())


@pytest.fixture
def people(folder: Path) -> Path:
    """Who buys depends on age and city; some ages are missing."""
    rng = np.random.default_rng(0)
    age, city = rng.integers(18, 80, ROWS).astype(float), rng.choice(["Rome", "Oslo"], ROWS)
    bought = np.where((age > 45) == (city == "Rome"), "yes", "no")
    age[rng.random(ROWS) < 0.1] = np.nan
    table = pd.DataFrame({"age": age, "city": city, "income": 3 * age + 100, "bought": bought})
    table["income"] = table["income"].fillna(200)
    table.to_csv(folder / "people.csv", index=False)
    return folder


def metadata(folder: Path, run: Run) -> dict[str, Any]:
    (described,) = (path for path in folder.rglob("MLmodel") if run.info.run_id in path.read_text())
    found: dict[str, Any] = mlflow.models.Model.load(described).metadata
    return found


def test_a_csv_file_becomes_a_model(people: Path) -> None:
    options = ("--target", "bought", "--drop", "income", "--epochs", "25")
    run = train(people, "--data", "people.csv", *options, "--class-weights", "balanced")
    assert client(people).get_experiment(run.info.experiment_id).name == "people"
    params, metrics = run.data.params, run.data.metrics
    assert (params["task"], params["dataset"], params["preset"]) == (
        *("classification", "people", "small"),
    )
    assert (params["target"], params["drop"]) == ("bought", "income")
    assert 0.8 < metrics["val_accuracy"] <= 1
    assert 0.85 < metrics["val_auc"] <= 1
    names = {"loss", "accuracy", "f1", "auc", "average_precision", "ece"}
    assert {name[4:] for name in metrics if name.startswith("val_")} == names
    assert not any("test" in name for name in metrics)
    described = metadata(people, run)
    assert json.loads(described["labels"]) == ["no", "yes"]
    age, city = (Feature(**one) for one in json.loads(described["features"]))
    assert (age.kind, age.accepts_missing, age.range) == ("number", True, (18, 79))
    assert (city.values, city.accepts_missing, city.accepts_unknown) == (
        *(("Oslo", "Rome"), False, False),
    )
    assert "range" not in described
    figures = {
        Path(one.path).stem for one in client(people).list_artifacts(run.info.run_id, "figures")
    }
    assert figures == {"learning_curves", "confusion_matrix", "reliability", "importance"}
    table = mlflow_table(people, run)
    assert {*table["feature"]} == {"age", "city"}
    assert min(table["mean"]) > 0.1  # both matter
    model = next(path for path in people.rglob("model.keras") if "people" not in path.name)
    loaded = keras.models.load_model(model, safe_mode=True)
    kept = Path(client(people).download_artifacts(run.info.run_id, artifacts.TEST_SET))
    x, y = artifacts.read_arrays(kept, "x_test", "y_test")
    assert x.dtype == np.float32
    assert np.isnan(x[:, 0]).any()
    assert (loaded.predict(x, verbose=0).argmax(axis=1) == y).mean() > 0.8


def mlflow_table(folder: Path, run: Run) -> dict[str, list[Any]]:
    file = Path(client(folder).download_artifacts(run.info.run_id, "tables/importance.json"))
    split = json.loads(file.read_text())
    return {name: [row[n] for row in split["data"]] for n, name in enumerate(split["columns"])}


def test_regression_keeps_the_smallest_error(people: Path) -> None:
    options = ("--target", "income", "--drop", "bought", "--epochs", "8")
    run = train(people, "--data", "people.csv", *options, "--learning-rate", "0.03")
    metrics = run.data.metrics
    assert run.data.params["task"] == "regression"
    curve = client(people).get_metric_history(run.info.run_id, "epoch/val_rmse")
    best = min(curve, key=lambda point: point.value)
    assert metrics["kept_epoch"] == best.step
    assert metrics["val_rmse"] == pytest.approx(best.value, rel=1e-4)
    assert metrics["val_r2"] > 0.8
    assert metrics["val_loss"] == pytest.approx(metrics["val_rmse"] ** 2)
    assert not any("test" in name for name in metrics)
    results = Path(client(people).download_artifacts(run.info.run_id, artifacts.VALIDATION))
    truth, predicted, loss = artifacts.read_arrays(results, "truth", "predicted", "loss")
    np.testing.assert_allclose(loss, (truth - predicted) ** 2, rtol=1e-4)
    assert loss.mean() == pytest.approx(metrics["val_loss"], rel=1e-4)
    assert metadata(people, run)["task"] == "regression"
    kept = Path(client(people).download_artifacts(run.info.run_id, artifacts.TEST_SET))
    x, y = artifacts.read_arrays(kept, "x_test", "y_test")
    assert (x.shape[1], y.dtype) == (2, np.float32)
    assert 100 < y.min() < y.max() < 400
    compared = call("train", "compare", "--html", "page.html", cwd=people)
    assert compared.returncode == 0, compared.stderr
    assert "1 runs, best val_rmse first" in compared.stdout
    assert "RMSE by latency" in (people / "page.html").read_text()


def test_a_small_table_is_cross_validated(people: Path) -> None:
    (people / "halves.toml").write_text(HALVES)
    options = ("--target", "bought", "--drop", "income", "--epochs", "2", "--data", "people.csv")
    done = call("train", "sweep", "halves.toml", *options, cwd=people)
    assert done.returncode == 0, done.stderr
    compared = call("train", "compare", cwd=people)
    (line,) = [line for line in compared.stdout.splitlines() if "first" in line and "│" in line]
    assert " 2 " in line
    assert "±" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--augment",), "--augment changes images, and people is a table; add --no-augment"),
        (
            ("--target", "income", "--label-smoothing", "0.1"),
            "--label-smoothing is for classes, and people has none: its task is regression",
        ),
        (("--target", "income", "--class-weights", "balanced"), "--class-weights is for classes"),
        (("--target", "income", "--teacher", "0"), "--teacher is for classes"),
    ],
)
def test_options_must_fit_the_data(people: Path, options: tuple[str, ...], message: str) -> None:
    data = ("--data", "people.csv", "--target", "bought")
    done = call("train", *data, *options, cwd=people)
    assert done.returncode == 1
    assert message in done.stderr.splitlines()[-1]


def test_rows_in_two_parts_are_reported(people: Path) -> None:
    table = pd.read_csv(people / "people.csv")
    pd.concat([table, table[:60]]).to_csv(people / "twice.csv", index=False)
    options = ("--target", "bought", "--epochs", "1", "--drop", "age", "city")
    done = call("train", "--data", "twice.csv", *options, cwd=people)
    assert "test rows are training rows, too" in done.stderr


def test_images_of_another_size(folder: Path) -> None:
    run = train(folder, "--data", "digits", "--hidden", "32", "--epochs", "12", "--augment")
    assert client(folder).get_experiment(run.info.experiment_id).name == "digits"
    assert run.data.params["dataset"] == "digits"
    assert run.data.metrics["val_accuracy"] > 0.8
    assert json.loads(metadata(folder, run)["range"]) == [0, 16]
