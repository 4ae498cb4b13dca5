"""Rows at the edges of what each column of a model's input accepts."""

import numpy as np

from bundle.features import Feature
from export.proof import edge_inputs


def test_of_images_they_reach_the_edges_and_repeat() -> None:
    columns = edge_inputs.of_range(784, (0, 255))
    rows = edge_inputs.rows(columns)
    assert (rows.shape, rows.dtype) == ((3 + 784 + 256, 784), np.float32)
    assert (rows[0] == 0).all()
    assert (rows[1] == 255).all()
    assert (rows[2] == 127.5).all()
    np.testing.assert_array_equal(rows[3:787], 255 * np.eye(784))
    assert rows.min() == 0
    assert rows.max() == 255
    assert len(np.unique(rows[787:], axis=0)) == 256
    np.testing.assert_array_equal(rows, edge_inputs.rows(columns))


def test_of_large_images_a_thousand_single_pixels() -> None:
    assert len(edge_inputs.rows(edge_inputs.of_range(5000, None))) == 3 + 1000 + 256


def test_of_tables_they_have_every_value_that_is_accepted_and_no_other() -> None:
    features = [
        Feature(name="age", kind="number", range=(18, 90), accepts_missing=True),
        Feature(name="height", kind="number", range=(1.2, 2.3), limits=(1.5, None)),
        Feature(name="job", kind="category", values=tuple("abcd"), accepts_unknown=True),
        Feature(name="city", kind="category", values=("x",), accepts_missing=True),
        Feature(name="owner", kind="boolean"),
    ]
    rows = edge_inputs.rows(edge_inputs.of_table(features))
    age, height, job, city, owner = rows.T
    assert (np.nanmin(age), np.nanmax(age)) == (18, 90)
    assert (height.min(), height.max()) == (np.float32(1.5), np.float32(2.3))
    assert set(job) == {-1, 0, 1, 2, 3}
    assert set(city[~np.isnan(city)]) == {0}
    assert set(owner) == {0, 1}
    assert np.isnan(age).sum() > 10
    assert np.isnan(city).sum() > 10
    first = np.array([18, 1.5, 0, 0, 0], np.float32)
    single = rows[6:-256]  # after five values of job, and the middle
    assert ((single != first).sum(axis=1) == 1).all()
    assert len(single) == 2 + 1 + 4 + 1 + 1


def test_a_large_vocabulary_is_covered_up_to_a_bound() -> None:
    feature = Feature(name="zip", kind="category", values=tuple(map(str, range(20_000))))
    rows = edge_inputs.rows(edge_inputs.of_table([feature]))
    assert (rows == np.rint(rows)).all()
    assert (rows.min(), rows.max()) == (0, 19_999)
    assert len(rows) == 10_000 + 1 + 1000 + 256
