"""Models of scikit-learn and XGBoost, imported, and asked for what they answered before."""

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from xgboost import XGBClassifier, XGBRegressor

from bundle import reader
from bundle.features import Feature
from bundle.reader import Bundle
from export import child_process
from tests.commands import call

RANDOM = np.random.default_rng(6)
PEOPLE = pd.DataFrame(
    {
        "age": RANDOM.uniform(18, 90, 120).round(1),
        "job": RANDOM.choice(["admin", "nurse", "none"], 120),
        "owner": RANDOM.integers(0, 2, 120).astype(bool),
    }
)
AGES = (float(PEOPLE.age.min()), float(PEOPLE.age.max()))
LABELS = np.where(PEOPLE.age + 30 * (PEOPLE.job == "nurse") > 65, "yes", "no")


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without new processes, each of which imports scikit-learn."""
    monkeypatch.setattr(child_process, "fresh", lambda function, *given: function(*given))


def adopt(folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    done = call("export", "import", *arguments, "--name", "m", cwd=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def imported(folder: Path, model: Any, rows: pd.DataFrame) -> Bundle:
    joblib.dump(model, folder / "model.joblib")
    rows.to_csv(folder / "rows.csv", index=False)
    status, out, err = adopt(folder, "model.joblib", "--rows", "rows.csv")
    assert (status, out) == (0, "models/m/1\n"), err
    return reader.read_version(folder / "models", "m", 1)


def answers(bundle: Bundle, rows: Any) -> np.ndarray:
    session = onnxruntime.InferenceSession(bundle.model)
    (values,) = session.run(None, {session.get_inputs()[0].name: np.asarray(rows, "f4")})
    return np.asarray(values)


def test_a_pipeline_with_named_columns_and_texts(in_process: None, tmp_path: Path) -> None:
    prepare = ColumnTransformer(
        [("numbers", StandardScaler(), ["age", "owner"]), ("texts", OneHotEncoder(), ["job"])]
    )
    model = make_pipeline(prepare, LogisticRegression()).fit(PEOPLE, LABELS)
    bundle = imported(tmp_path, model, PEOPLE)
    manifest = bundle.manifest
    assert manifest
    age, job, owner = manifest.features
    assert age == Feature(name="age", kind="number", range=AGES)
    assert job == Feature(name="job", kind="category", values=("admin", "none", "nurse"))
    assert owner == Feature(name="owner", kind="boolean")
    assert (manifest.task, manifest.labels) == ("classification", ("no", "yes"))
    assert [(spec.name, spec.shape) for spec in manifest.inputs] == [("features", (-1, 3))]
    assert [(spec.name, spec.shape) for spec in manifest.outputs] == [("probabilities", (-1, 2))]
    assert manifest.parity
    assert (manifest.parity.rows, manifest.parity.top1_agreement) == (120, 1)
    assert "skl2onnx" in manifest.tools
    codes = PEOPLE.assign(job=[job.values.index(text) for text in PEOPLE.job])
    np.testing.assert_allclose(answers(bundle, codes), model.predict_proba(PEOPLE), atol=1e-5)
    assert bundle.golden
    assert set(bundle.golden.inputs["features"][:, 1]) == {0, 1, 2}


def test_trees_on_numbers_with_missing_values(in_process: None, tmp_path: Path) -> None:
    model = XGBClassifier(n_estimators=5)
    rows, labels = load_iris(return_X_y=True, as_frame=True)
    rows.iloc[::7, 2] = np.nan
    bundle = imported(tmp_path, model.fit(rows, labels), rows)
    manifest = bundle.manifest
    assert manifest
    assert [one.accepts_missing for one in manifest.features] == [False, False, True, False]
    assert manifest.features[0].name == "sepal length (cm)"
    assert manifest.labels == ("0", "1", "2")
    np.testing.assert_allclose(answers(bundle, rows), model.predict_proba(rows), atol=1e-5)
    assert bundle.golden
    assert np.isnan(bundle.golden.inputs["features"]).any()


@pytest.mark.parametrize(
    "model",
    [
        RandomForestRegressor(5, random_state=1),
        make_pipeline(StandardScaler(), XGBRegressor(n_estimators=5)),
    ],
)
def test_a_regression(in_process: None, tmp_path: Path, model: Any) -> None:
    rows, values = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    rows = rows.astype("f4")
    bundle = imported(tmp_path, model.fit(rows, values), rows)
    manifest = bundle.manifest
    assert manifest
    assert (manifest.task, manifest.labels) == ("regression", ())
    assert manifest.parity
    assert manifest.parity.scale > 50
    np.testing.assert_allclose(answers(bundle, rows)[:, 0], model.predict(rows), rtol=1e-4)


def test_an_array_without_names(in_process: None, tmp_path: Path) -> None:
    rows, labels = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(rows, labels)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    np.savez(tmp_path / "rows.npz", rows=rows)
    status, _, err = adopt(tmp_path, "model.pkl", "--rows", "rows.npz")
    assert status == 0, err
    bundle = reader.read_version(tmp_path / "models", "m", 1)
    assert bundle.manifest
    assert bundle.manifest.features == ()
    np.testing.assert_allclose(answers(bundle, rows), model.predict_proba(rows), atol=1e-5)


class Loud:
    """Can't be unpickled."""

    def __reduce__(self) -> Any:
        return int, ("many\nwords",)


NUMBERS = PEOPLE[["age", "owner"]]
FITTED = LogisticRegression().fit(NUMBERS, LABELS)


@pytest.mark.parametrize(
    ("model", "rows", "message"),
    [
        (FITTED, PEOPLE, "takes rows of shape [2], and those supplied have the shape [3]"),
        (
            FITTED,
            NUMBERS[["owner", "age"]],
            "takes the columns age, owner, and the rows have owner, age",
        ),
        (
            LogisticRegression().fit(NUMBERS.to_numpy(), LABELS),
            PEOPLE[["age", "job"]],
            "the rows have texts, which only a pipeline with a ColumnTransformer takes",
        ),
        (LinearSVC().fit(NUMBERS, LABELS), NUMBERS, "LinearSVC has no probabilities"),
        (StandardScaler(), NUMBERS, "expected a classifier or a regressor of scikit-learn"),
        ({"a": 1}, NUMBERS, "expected a classifier or a regressor of scikit-learn"),
        (Loud(), NUMBERS, "can't be unpickled: ValueError: invalid literal for int()"),
        (FITTED, NUMBERS.assign(age=np.inf), "rows.csv, line 2, column age: is infinite"),
        (FITTED, NUMBERS.assign(age=np.nan), "rows.csv, column age: has no values"),
        (FITTED, NUMBERS[:0], "rows.csv: has no rows"),
    ],
)
def test_what_is_refused(
    in_process: None, tmp_path: Path, model: Any, rows: pd.DataFrame, message: str
) -> None:
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    rows.to_csv(tmp_path / "rows.csv", index=False)
    status, out, err = adopt(tmp_path, "model.pickle", "--rows", "rows.csv")
    assert (status, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "models").exists()


def test_rows_are_required_and_read_first(in_process: None, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(FITTED))
    status, _, err = adopt(tmp_path, "model.pkl")
    assert status == 1
    assert err.startswith("export: model.pkl: needs --rows: a model that is converted is checked")
    for name, message in (
        ("none.csv", "none.csv: No such file or directory"),
        ("rows.txt", "rows.txt: expected rows in a file .csv or .npz"),
    ):
        assert adopt(tmp_path, "model.pkl", "--rows", name)[2] == f"export: {message}\n"


def test_a_conversion_that_predicts_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from export.errors import ExportError
    from export.importing import pickled, rows

    NUMBERS.to_csv(tmp_path / "rows.csv", index=False)
    other = LogisticRegression().fit(NUMBERS, LABELS[::-1])
    convert = pickled._to_onnx
    monkeypatch.setattr(
        pickled, "_to_onnx", lambda file, model, *others: convert(file, other, *others)
    )
    joblib.dump(FITTED, tmp_path / "model.joblib")
    with pytest.raises(ExportError, match="does not match the original: largest difference"):
        pickled._convert(tmp_path / "model.joblib", rows.read(tmp_path / "rows.csv"))
