"""Models of tables: with categories and missing values, and a regression."""

import dataclasses
import re
import warnings
from pathlib import Path

import mlflow
import numpy as np
import onnx
import onnxruntime
import pytest

from bundle import reader
from bundle.manifest import Manifest
from bundle.reader import Bundle
from tests.commands import export
from tests.export import table_runs
from tests.export.table_runs import HOUSES, PEOPLE, TableRun


@dataclasses.dataclass(frozen=True)
class Tables:
    """Both runs, and what their exports published."""

    folder: Path
    """With mlflow.db and models."""
    people: TableRun
    houses: TableRun
    said: str
    """On stderr, by the export of houses."""

    def bundle(self, name: str, version: int = 1) -> Bundle:
        return reader.read_version(self.folder / "models", name, version)

    def manifest(self, name: str, version: int = 1) -> Manifest:
        manifest = self.bundle(name, version).manifest
        assert manifest
        return manifest


@pytest.fixture(scope="module")
def tables(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("tables")
    table_runs.store(folder, shared / "mlflow.db")
    try:
        with warnings.catch_warnings(action="ignore"):  # Keras's own
            people, houses = table_runs.people(), table_runs.houses()
    finally:
        mlflow.set_tracking_uri("")
    said = ""
    for run, name in ((people, "people"), (houses, "houses")):
        status, out, said = export(folder, "--run", run.run_id)
        assert (status, out) == (0, f"models/{name}/1\n"), said
    return Tables(folder, people, houses, said)


def test_the_manifest_describes_the_table(tables: Tables) -> None:
    manifest = tables.manifest("people")
    assert (manifest.task, manifest.labels) == ("classification", ("no", "yes"))
    assert manifest.features == PEOPLE
    assert manifest.inputs[0].name == "features"
    assert "test_loss" not in manifest.metrics  # the run has one; only export measures the test set
    assert 0.7 < manifest.metrics["test_accuracy"] <= 1
    assert manifest.parity
    assert manifest.parity.top1_agreement == 1
    assert manifest.parity.max_abs_difference <= 1e-5
    # Values of job: 3 and the unknown one; alone: 2 of age, 3 of job, 1 of owner.
    assert manifest.parity.parts["edge inputs"].rows == 4 + 1 + 6 + 256


def test_the_reference_is_of_each_column(tables: Tables) -> None:
    reference = tables.manifest("people").reference
    assert {"input:age", "input:job", "input:owner", "output:class"} <= reference.keys()
    missing = np.isnan(tables.people.x_test[:, 0]).mean()
    assert reference["input:age"].shares[-1] == pytest.approx(missing)
    assert "output:value" in tables.manifest("houses").reference


def test_golden_inputs_show_each_category_and_a_missing_value(tables: Tables) -> None:
    golden = tables.bundle("people").golden
    assert golden
    rows = golden.inputs["features"]
    assert np.isnan(rows[:, 0]).any()
    assert set(rows[:, 1]) == {0, 1, 2}
    assert set(rows[:, 2]) == {0, 1}
    assert len(rows) <= 6
    assert set(golden.outputs["probabilities"].argmax(axis=1)) == {0, 1}


def test_a_regression(tables: Tables) -> None:
    manifest, golden = tables.manifest("houses"), tables.bundle("houses").golden
    assert (manifest.task, manifest.labels, manifest.features) == ("regression", (), HOUSES)
    assert golden
    model = onnx.load_from_string(tables.bundle("houses").model)
    # The year stays outside of the first Gemm, and the scale of the target is in the last one.
    assert [node.op_type for node in model.graph.node] == ["Sub", "Mul", "Gemm", "Relu", "Gemm"]
    session = onnxruntime.InferenceSession(tables.bundle("houses").model)
    values = session.run(None, {"features": tables.houses.x_test})[0][:, 0]
    error = values - tables.houses.y_test
    assert manifest.metrics["test_rmse"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)
    assert manifest.metrics["test_mae"] == pytest.approx(np.abs(error).mean(), rel=1e-5)
    r2 = 1 - (error**2).mean() / tables.houses.y_test.var()
    assert manifest.metrics["test_r2"] == pytest.approx(r2, rel=1e-5)
    assert r2 > 0.8
    rows = golden.inputs["features"]
    places = [np.flatnonzero((tables.houses.x_test == row).all(axis=1))[0] for row in rows]
    targets = tables.houses.y_test[places]
    assert len(targets) == 10
    assert (targets.min(), targets.max()) == (
        tables.houses.y_test.min(),
        tables.houses.y_test.max(),
    )
    assert re.search(r"test RMSE +│ +[0-9.]+ │", tables.said)


def test_values_of_a_regression_are_compared_by_their_scale(tables: Tables) -> None:
    parity = tables.manifest("houses").parity
    assert parity
    assert parity.top1_agreement is None
    spread = float(tables.houses.y_test.std())
    assert spread + 80 < parity.scale < 2 * spread
    assert 1e-5 < parity.max_abs_difference <= 1e-5 * parity.scale
    assert tables.manifest("houses").golden_tolerance == pytest.approx(1e-4 * parity.scale)


def test_a_regression_is_listed_verified_and_promoted(tables: Tables) -> None:
    rmse = tables.manifest("houses").metrics["test_rmse"]
    status, out, _ = export(tables.folder, "list", "houses")
    assert status == 0
    assert f"{rmse:.4g} RMSE" in out
    status, _, err = export(tables.folder, "verify", "models/houses/1")
    assert status == 0, err
    assert err.splitlines()[-1] == "models/houses/1 is unchanged"
    status, _, err = export(tables.folder, "promote", "houses", "1", "--max-rmse", "1")
    assert status == 1
    assert f"RMSE: {rmse:.4g}; the maximum is 1" in err
    status, _, err = export(tables.folder, "promote", "houses", "1")
    assert status == 0, err


def test_integers_and_limits(tables: Tables, tmp_path: Path) -> None:
    """Calibration takes rows with missing values; golden inputs are within the limits."""
    options = ("--quantize", "static", "--max-drop", "5", "--limits", "age=30:60.5")
    run = tables.people.run_id
    status, _, err = export(tables.folder, "--run", run, "--models", tmp_path, *options)
    assert status == 0, err
    bundle = reader.read_version(tmp_path, "people", 1)
    manifest, golden = bundle.manifest, bundle.golden
    assert manifest
    assert golden
    assert manifest.quantization
    assert manifest.quantization.rmse_increase is None
    before, after = (one.metrics["test_accuracy"] for one in (tables.manifest("people"), manifest))
    assert manifest.quantization.accuracy_loss == before - after
    assert manifest.features[0].limits == (30, 60.5)
    ages = golden.inputs["features"][:, 0]
    assert np.nanmin(ages) >= 30
    assert np.nanmax(ages) <= 60.5


def test_the_best_of_several_experiments_with_integers(tables: Tables, tmp_path: Path) -> None:
    options = ("--quantize", "static", "--max-drop", "5", "--models", tmp_path)
    status, _, err = export(tables.folder, "--best", *options)
    assert status == 1
    assert err.startswith("export: MLflow has runs of several experiments; choose one:\n")
    assert sorted(err.splitlines()[1:]) == [
        f"  python -m export --best --experiment {name}" for name in ("houses", "mnist", "people")
    ]
    status, out, err = export(tables.folder, "--best", "--experiment", "houses", *options)
    assert (status, out) == (0, f"{tmp_path}/houses/1\n"), err
    manifest = reader.read_version(tmp_path, "houses", 1).manifest
    assert manifest
    assert manifest.quantization
    increase = manifest.quantization.rmse_increase
    assert increase
    before, after = (one.metrics["test_rmse"] for one in (tables.manifest("houses"), manifest))
    assert increase == pytest.approx(after / before - 1)
    assert 0 < abs(increase) < 0.05
    assert manifest.quantization.accuracy_loss is None
    status, _, err = export(tables.folder, "verify", tmp_path / "houses/1")
    assert status == 0, err


def test_a_table_has_no_bytes(tables: Tables, tmp_path: Path) -> None:
    run = tables.people.run_id
    status, _, err = export(
        tables.folder, "--run", run, "--input", "uint8", "--models", tmp_path / "models"
    )
    assert status == 1
    assert err == "export: --input uint8: the input of a table is always float32\n"


@pytest.mark.parametrize(
    ("limits", "status", "message"),
    [
        ("income=0:", 1, "--limits income: no feature of the model that is a number; they are age"),
        ("job=0:1", 1, "--limits job: no feature of the model that is a number; they are age"),
        ("age", 2, "expected FEATURE=LOW:HIGH, such as age=0:120 or age=0:, got age"),
        ("age=:", 2, "expected FEATURE=LOW:HIGH, such as age=0:120 or age=0:, got age=:"),
        ("age=9:1", 2, "age=9:1: 9 is larger than 1"),
        ("age=a:1", 2, "expected a number, got a"),
        ("age=0:inf", 2, "expected a number, got inf"),
    ],
)
def test_limits_that_are_none(
    tables: Tables, tmp_path: Path, limits: str, status: int, message: str
) -> None:
    command = ("--run", tables.people.run_id, "--models", tmp_path / "models")
    got, _, err = export(tables.folder, *command, "--limits", limits)
    assert got == status
    assert err.rstrip().endswith(message)
    assert not (tmp_path / "models").exists()
