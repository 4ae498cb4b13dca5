"""Models that Keras has saved, imported."""

import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

from bundle import reader
from bundle.reader import Bundle
from tests.commands import call

ROWS = np.random.default_rng(7).uniform(-2, 2, (40, 3)).astype(np.float32)
TABLE = "a,b,c\n" + "\n".join(",".join(map(str, row)) for row in ROWS) + "\n"


def network(last: keras.layers.Layer, shape: tuple[int, ...] = (3,)) -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = [keras.Input(shape, name="x"), keras.layers.Flatten(), keras.layers.Dense(5, "relu")]
    return keras.Sequential([*layers, last])


def adopt(folder: Path, model: keras.Model, rows: str) -> tuple[int, str]:
    with warnings.catch_warnings(action="ignore"):  # Keras's own
        model.save(folder / "model.keras")
    (folder / "rows.csv").write_text(TABLE)
    np.savez(folder / "images.npz", np.resize(ROWS, (30, 2, 2, 1)))
    done = call(
        *("export", "import", "model.keras", "--name", "m", "--rows", rows, "--models", "models"),
        cwd=folder,
    )
    return done.returncode, done.stderr


def published(folder: Path) -> Bundle:
    return reader.read_version(folder / "models", "m", 1)


def test_a_classifier_of_a_table(tmp_path: Path) -> None:
    model = network(keras.layers.Dense(4, "softmax", name="probabilities"))
    status, err = adopt(tmp_path, model, "rows.csv")
    assert status == 0, err
    manifest, golden = published(tmp_path).manifest, published(tmp_path).golden
    assert manifest
    assert golden
    assert manifest.task == "classification"
    assert [feature.name for feature in manifest.features] == ["a", "b", "c"]
    assert manifest.features[0].range == pytest.approx((ROWS[:, 0].min(), ROWS[:, 0].max()))
    assert manifest.parity
    assert manifest.parity.parts["edge inputs"].rows == 2 + 1 + 3 + 256
    np.testing.assert_allclose(
        golden.outputs["probabilities"], model(golden.inputs["x"]), atol=1e-5
    )


def test_values_of_images(tmp_path: Path) -> None:
    model = network(keras.layers.Dense(1, name="value"), (2, 2, 1))
    status, err = adopt(tmp_path, model, "images.npz")
    assert status == 0, err
    manifest = published(tmp_path).manifest
    assert manifest
    assert (manifest.task, manifest.features) == (None, ())
    assert manifest.inputs[0].shape == (-1, 2, 2, 1)
    assert manifest.parity
    assert manifest.parity.top1_agreement is None


def test_rows_of_another_shape(tmp_path: Path) -> None:
    status, err = adopt(tmp_path, network(keras.layers.Dense(1)), "images.npz")
    assert status == 1
    assert err == (
        "export: model.keras: the model takes rows of shape [3], and those supplied have the shape"
        " [2, 2, 1]\n"
    )


def test_a_file_that_is_not_of_keras(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_text("no archive")
    (tmp_path / "rows.csv").write_text(TABLE)
    done = call(
        *("export", "import", "model.keras", "--name", "m", "--rows", "rows.csv"), cwd=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr.startswith("export: model.keras: not a Keras model: ")
    assert done.stderr.count("\n") == 1
