import json
import math
from typing import Any

import numpy as np
import pytest

from bundle import reference
from bundle.errors import BundleError
from bundle.features import Feature
from bundle.manifest import Manifest
from bundle.reference import Histogram
from tests.bundle.example import MANIFEST

RANDOM = np.random.default_rng(0)


def test_many_values_get_equally_full_bins() -> None:
    values = RANDOM.normal(size=10_000).astype("f4")
    found = reference.histogram(values)
    assert len(found.edges) == 9
    assert found.shares == pytest.approx([0.1] * 10 + [0], abs=0.001)
    assert found.edges[4] == pytest.approx(0, abs=0.05)


def test_few_values_get_a_bin_each_and_nan_its_own() -> None:
    values = np.array([2, 2, 0, -1, math.nan, 2, math.nan, 0], "f4")
    found = reference.histogram(values)
    assert found == Histogram(edges=(-1, 0), shares=(1 / 8, 2 / 8, 3 / 8, 2 / 8))
    assert reference.counts(np.array([1, 5, math.nan, -7], "f4"), found.edges).tolist() == [
        *(1, 0, 2, 1)
    ]


@pytest.mark.parametrize("values", [[3.0] * 5, [math.nan] * 3])
def test_a_constant_column_has_one_bin(values: list[float]) -> None:
    found = reference.histogram(np.array(values, "f4"))
    assert found.edges == ()
    assert sum(found.shares) == 1


def test_the_index_of_the_same_distribution_is_small_and_of_another_large() -> None:
    found = reference.histogram(RANDOM.normal(size=5000))

    def index(values: Any) -> float:
        return reference.distance(found.shares, reference.counts(values, found.edges).tolist())

    assert index(RANDOM.normal(size=2000)) < 0.02
    assert index(RANDOM.normal(0.3, size=2000)) > 0.05
    assert index(RANDOM.normal(2, size=2000)) > 1
    assert index(np.full(2000, math.nan)) > 1


def test_the_index_is_that_of_its_formula() -> None:
    # With many rows, half a row more in each bin makes no difference.
    expected = (0.5 - 0.2) * math.log(0.5 / 0.2) + (0.5 - 0.8) * math.log(0.5 / 0.8)
    assert reference.distance([0.2, 0.8], [5e6, 5e6]) == pytest.approx(expected, rel=1e-4)


def test_measures_of_tables_are_their_columns() -> None:
    features = [Feature(name=name, kind="number") for name in "ab"]
    found = reference.of_inputs(np.array([[1, 2], [3, 4]], "f4"), features, None)
    assert {name: values.tolist() for name, values in found.items()} == {
        "input:a": [1, 3],
        "input:b": [2, 4],
    }


def test_measures_of_images_are_mean_and_ink() -> None:
    images = np.array([[0, 0, 255, 51], [255, 255, 255, 255]], "u1")
    found = reference.of_inputs(images, [], (0, 255))
    assert {name: values.tolist() for name, values in found.items()} == {
        "input:mean": [76.5, 255],
        "input:ink": [0.25, 1],
    }


def test_measures_of_outputs() -> None:
    scores = np.array([[0.25, 0.75], [1, 0]], "f4")
    found = reference.of_outputs(scores)
    assert found["output:class"].tolist() == [1, 0]
    assert found["output:confidence"].tolist() == [0.75, 1]
    assert reference.of_outputs(np.array([[2.5], [1]], "f4"))["output:value"].tolist() == [2.5, 1]


def manifest(**histogram: Any) -> bytes:
    document = json.loads(MANIFEST.to_json())
    return json.dumps(document | {"reference": {"mean": histogram}}).encode()


def test_a_manifest_has_histograms() -> None:
    read = Manifest.from_json(manifest(edges=[1, 2.5], shares=[0.5, 0.25, 0.25, 0]))
    assert read.reference == {"mean": Histogram(edges=(1, 2.5), shares=(0.5, 0.25, 0.25, 0))}
    assert Manifest.from_json(read.to_json()) == read


@pytest.mark.parametrize(
    "histogram",
    [
        {"edges": [2, 1], "shares": [0, 0, 0, 1]},
        {"edges": [1], "shares": [1, 0]},
        {"edges": [1], "shares": [1, 0, -1]},
        {"edges": ["1"], "shares": [1, 0, 0]},
        {"edges": [math.nan], "shares": [1, 0, 0]},
        {"edges": 3, "shares": [1, 0, 0]},
        {"shares": [1, 0, 0]},
    ],
)
def test_malformed_histograms_are_refused(histogram: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match="missing or malformed"):
        Manifest.from_json(manifest(**histogram))
