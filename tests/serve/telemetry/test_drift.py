"""The distance of requests from the test set, as the metrics tell it."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bundle import reader, reference, writer
from bundle.features import Feature
from bundle.manifest import TensorSpec
from serve.models.spec import ModelSpec
from serve.telemetry import drift
from serve.telemetry.drift import MIN_ROWS, WINDOW_ROWS, Drift
from serve.telemetry.shared_counters import SharedCounters
from tests.conftest import Digits
from tests.servers.live import Server
from tests.servers.scrape import scrape

RANDOM = np.random.default_rng(0)
SERVED = {("ages", "1"), ("ages", "2")}
AGES = RANDOM.normal(40, 10, size=(5000, 1)).astype("f4")


def model(version: int = 1) -> Any:
    """A model of one column, whose answer is its input."""
    features = (Feature(name="age", kind="number"),)
    known = reference.of(AGES, AGES, features, None)
    spec = ModelSpec(
        "ages",
        version,
        (TensorSpec(name="features", dtype="float32", shape=(-1, 1)),),
        (TensorSpec(name="value", dtype="float32", shape=(-1, 1)),),
        manifest=SimpleNamespace(features=features, reference=known),  # type: ignore[arg-type]
    )
    return SimpleNamespace(spec=spec)


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drift:
    """Counts all rows that it is shown."""
    monkeypatch.setattr(drift, "PAUSE", -1e9)
    return Drift(SharedCounters(tmp_path, "0"))


def show(watching: Drift, rows: Any, of: Any) -> None:
    for start in range(0, len(rows), 50):
        part = np.asarray(rows[start : start + 50], "f4")
        watching.observe(of, {"features": part}, {"value": part})


def test_the_usual_is_near_and_another_population_far(watching: Drift, tmp_path: Path) -> None:
    show(watching, RANDOM.normal(40, 10, size=(2000, 1)), model())
    show(watching, RANDOM.normal(60, 10, size=(2000, 1)), model(2))
    found = drift.distances(tmp_path, SERVED)
    assert found.keys() == {
        ("ages", version, measure) for version in "12" for measure in ("input:age", "output:value")
    }
    assert found["ages", "1", "input:age"] < 0.02
    assert found["ages", "2", "input:age"] > 1


def test_a_version_that_is_no_longer_served_has_no_distance(
    watching: Drift, tmp_path: Path
) -> None:
    show(watching, AGES, model())
    show(watching, AGES, model(3))
    assert {of[:2] for of in drift.distances(tmp_path, SERVED)} == {("ages", "1")}


def test_few_rows_tell_nothing(watching: Drift, tmp_path: Path) -> None:
    show(watching, AGES[: MIN_ROWS - 50], model())
    assert drift.distances(tmp_path, SERVED) == {}
    show(watching, AGES[:50], model())
    assert len(drift.distances(tmp_path, SERVED)) == 2


def test_the_workers_are_added_up(watching: Drift, tmp_path: Path) -> None:
    show(watching, AGES[:400], model())
    show(Drift(SharedCounters(tmp_path, "1")), AGES[400:800], model())
    assert drift.distances(tmp_path, SERVED)["ages", "1", "input:age"] < 0.05


def test_what_was_long_ago_is_forgotten(watching: Drift, tmp_path: Path) -> None:
    show(watching, np.full((WINDOW_ROWS, 1), 90), model())
    assert drift.distances(tmp_path, SERVED)["ages", "1", "input:age"] > 1
    for _ in range(8):
        show(watching, AGES, model())
    assert drift.distances(tmp_path, SERVED)["ages", "1", "input:age"] < 0.05


def test_it_counts_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting took a second, so it does not count again for a hundred."""
    now, of = [0.0], model()
    monkeypatch.setattr(drift.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(
        reference, "counts", lambda *_: now.__setitem__(0, now[0] + 0.5) or np.ones(11)
    )
    watching = Drift(SharedCounters(tmp_path, "0"))
    for _ in range(20):
        show(watching, AGES[:50], of)
        now[0] += 10
    ((_, counted), *_) = drift.shared_counters.read(tmp_path)
    assert list(counted[:11]) == [2.0] * 11  # each time a row in each of 11 bins


def test_a_model_without_a_reference_is_not_measured(watching: Drift, tmp_path: Path) -> None:
    bare = model()
    for manifest in (None, SimpleNamespace(features=(), reference={})):
        object.__setattr__(bare.spec, "manifest", manifest)
        show(watching, AGES[:1000], bare)
    assert drift.distances(tmp_path, SERVED) == {}


def test_inverted_digits_are_far_and_test_digits_near(
    repository: Path, digits: Digits, tmp_path: Path
) -> None:
    models = shutil.copytree(repository, tmp_path / "models")
    first = reader.read_version(models, "mnist", 1)
    assert first.manifest
    assert first.golden
    files = {"model.onnx": first.model, "golden.npz": first.golden.to_npz()}
    writer.publish(models, first.manifest, files)
    with Server("--models", str(models), "--workers", "1") as server:
        found: dict[tuple[str, str], float] = {}
        for start in range(0, 100_000, 50):
            usual = digits.images[(start + np.arange(50)) % len(digits.images)]
            for version, part in (("1", usual), ("2", 255 - usual)):
                body = json.dumps({"images": part.tolist()})
                path = f"/predict?version={version}"
                assert server.request("POST", path, body).status == 200
            if len(found) == 8:  # four measures of each version
                break
            found = {
                (dict(labels)["version"], dict(labels)["measure"]): value
                for (name, labels), value in scrape(server).items()
                if name == "drift"
            }
    assert max(value for (version, _), value in found.items() if version == "1") < 0.25
    assert found["2", "input:ink"] > 2
    assert found["2", "input:mean"] > 2
