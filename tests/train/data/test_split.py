"""The part that is kept aside, and classes that a part lacks."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from train.data import datasets
from train.data.datasets import Dataset
from train.data.split import split
from train.errors import TrainError
from train.run_options import of_preset


@pytest.fixture
def dataset() -> Dataset:
    """200 and 20 images of two classes; each training image has its number as its pixels."""
    x = np.repeat(np.arange(200)[:, None], 784, axis=1)
    y = np.arange(200) % 2
    return datasets.make("own", (x, y, np.full((20, 784), 9), np.arange(20) % 2))


def test_parts_share_nothing_and_lack_nothing(dataset: Dataset) -> None:
    (x, y), (held_x, held_y) = split(dataset, of_preset("default"))
    assert (len(x), len(held_x)) == (180, 20)
    assert sorted([*x[:, 0], *held_x[:, 0]]) == list(range(200))
    assert (x[:, 0] % 2 == y).all()
    assert (held_x[:, 0] % 2 == held_y).all()


def test_only_the_split_seed_decides(dataset: Dataset) -> None:
    seeds = [{"seed": 1}, {"seed": 2}, {"split_seed": 1}]
    parts = [split(dataset, of_preset("default", **seed))[1][0][:, 0] for seed in seeds]
    assert (parts[0] == parts[1]).all()
    assert (parts[0] != parts[2]).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"class_names": ("cat", "dog", "yak")},
            "own: none of the 180 training images is of class yak",
        ),
        (
            {"y_test": np.zeros(20, dtype=np.int64)},
            "own: none of the 20 test images is of class 1$",
        ),
        (
            {"y_train": np.array([1, *[0] * 199])},
            "none of the 20 validation images is of class 1; use a larger --validation-split",
        ),
    ],
)
def test_names_a_class_that_a_part_lacks(
    dataset: Dataset, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainError, match=message):
        split(dataclasses.replace(dataset, **changes), of_preset("default"))
