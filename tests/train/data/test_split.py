"""The part that is kept aside, and classes that a part lacks."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from train.data import images, split
from train.data.dataset import Dataset
from train.errors import TrainError
from train.run_options import of_preset


@pytest.fixture
def dataset() -> Dataset:
    """200 and 20 images of two classes; each training image has its number as its pixels."""
    x = np.repeat(np.arange(200)[:, None], 784, axis=1)
    y = np.arange(200) % 2
    return images.make("own", (x, y, np.full((20, 784), 99), np.arange(20) % 2))


def test_parts_share_nothing_and_lack_nothing(dataset: Dataset) -> None:
    (x, y), (held_x, held_y) = split.split(dataset, of_preset("default"))
    assert (len(x), len(held_x)) == (180, 20)
    assert sorted([*x[:, 0], *held_x[:, 0]]) == list(range(200))
    assert (x[:, 0] % 2 == y).all()
    assert (held_x[:, 0] % 2 == held_y).all()


def test_only_the_split_seed_decides(dataset: Dataset) -> None:
    seeds = [{"seed": 1}, {"seed": 2}, {"split_seed": 1}]
    parts = [split.split(dataset, of_preset("default", **seed))[1][0][:, 0] for seed in seeds]
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
            "own: none of the 20 test images is of class 1; if it was split off, use a larger",
        ),
        (
            {"y_train": np.array([1, *[0] * 199])},
            r"own: validation: classes with fewer than 2 rows can't be split: 1 \(1\);",
        ),
        (
            {"y_train": np.array([1, 1, *[0] * 198])},
            "none of the 20 validation images is of class 1; use a larger --validation-split",
        ),
    ],
)
def test_names_a_class_that_a_part_lacks(
    dataset: Dataset, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainError, match=message):
        split.split(dataclasses.replace(dataset, **changes), of_preset("default"))


def test_each_class_has_its_share_of_every_part(dataset: Dataset) -> None:
    rare = dataclasses.replace(dataset, y_train=(np.arange(200) < 20).astype(int))
    (_, y), (_, held_y) = split.split(rare, of_preset("default"))
    assert (y.sum(), held_y.sum()) == (18, 2)


@pytest.mark.parametrize("regression", [False, True])
@pytest.mark.parametrize("options", [{"validation_split": 0.3}, {"fold": "2/3"}])
def test_a_group_is_never_divided(
    dataset: Dataset, options: dict[str, Any], regression: bool
) -> None:
    groups = np.arange(200) // 5
    changes = {"class_names": (), "task": "regression"} if regression else {}
    grouped = dataclasses.replace(dataset, groups=groups, **changes)
    (x, _), (held, _) = split.split(grouped, of_preset("default", **options))
    parts = [set(groups[part[:, 0].astype(int)]) for part in (x, held)]
    assert len(x) + len(held) == 200
    assert 10 <= len(parts[1]) <= 15
    assert parts[0].isdisjoint(parts[1])


def test_folds_are_validated_on_every_row_once(dataset: Dataset) -> None:
    parts = [split.split(dataset, of_preset("default", fold=f"{n}/4"))[1] for n in (1, 2, 3, 4)]
    assert sorted(row for x, _ in parts for row in x[:, 0]) == list(range(200))
    assert [y.sum() for _, y in parts] == [25] * 4  # stratified
    with pytest.raises(TrainError, match="classes with fewer than 101 rows"):
        split.split(dataset, of_preset("default", fold="1/101"))


def test_counts_rows_that_two_parts_share() -> None:
    part = np.array([[1, np.nan], [2, 3], [1, np.nan]], np.float32)
    assert split.shared_rows(part, np.array([[1, np.nan], [4, 5]], np.float32)) == 2
