"""Tables: what columns are, and what is said of bad ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bundle.features import Feature
from tests.train.reading.reads import read
from train.errors import TrainError

ROWS = 40


def frame(**changes: Any) -> pd.DataFrame:
    """Forty rows with each kind of column; the target is text."""
    numbers = np.arange(ROWS)
    columns: dict[str, Any] = {
        "age": [None, *range(20, 59)],
        "city": ["Rome", "Oslo", None, " Bern "] * 10,
        "member": ["true", "False"] * 20,
        "weight": numbers / 4 + 50,
        "person": numbers // 4,
        "bought": ["yes", "no"] * 20,
    }
    return pd.DataFrame(columns | changes)


def write(folder: Path, table: pd.DataFrame, name: str = "people.csv", **options: Any) -> Path:
    path = folder / name
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, **options)
    return path


@pytest.mark.parametrize("name", ["people.csv", "people.parquet"])
def test_the_kind_of_a_column_is_found_from_its_values(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, frame(), name)
    dataset = read(path, target="bought", id=("person",), unknown_categories="accept")
    assert (dataset.name, dataset.task, dataset.class_names) == (
        *("people", "classification", ("no", "yes")),
    )
    assert dataset.is_table
    age, city, member, weight = dataset.features
    assert age.kind == weight.kind == "number"
    assert age.range
    assert age.range[0] >= 20
    assert city == Feature(
        name="city",
        kind="category",
        values=("Bern", "Oslo", "Rome"),
        accepts_missing=True,
        accepts_unknown=True,
    )
    assert member == Feature(name="member", kind="boolean")
    x = np.concatenate([dataset.x_train, dataset.x_test])
    x = x[np.argsort(x[:, 3])]  # the order of the file
    assert np.isnan(x[0, 0])
    assert x[1, 0] == 20
    np.testing.assert_array_equal(x[:4, 1], [2, 1, np.nan, 0])
    assert x[:4, 2].tolist() == [1, 0, 1, 0]
    assert x.dtype == np.float32


def test_rows_of_one_id_are_in_one_part(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, frame()), target="bought", id=("person",))
    persons = [
        set(((part[:, 3] - 50) * 4 // 4).astype(int)) for part in (dataset.x_train, dataset.x_test)
    ]
    assert persons[0].isdisjoint(persons[1])
    assert len(dataset.x_test) == 8
    assert dataset.groups is not None
    assert len(set(dataset.groups.tolist())) == 8


def test_files_are_joined_and_separators_found(tmp_path: Path) -> None:
    table = frame()
    first = write(tmp_path, table[:25], "a.csv", sep=";")
    second = write(tmp_path, table[25:], "b.csv")
    both = read(first, second, target="bought")
    whole = read(write(tmp_path, table, "c.csv", sep="\t"), target="bought")
    np.testing.assert_array_equal(both.x_train, whole.x_train)
    assert both.sha256 == whole.sha256
    assert read(first, second, target="bought", drop=("city",)).sha256 != whole.sha256


def test_a_category_that_only_the_test_part_has_is_unknown(tmp_path: Path) -> None:
    dataset = read(
        write(tmp_path, frame(city=["x", *["Rome", "Oslo", "Bern"] * 13])),
        target="bought",
        split_seed=first_row_in_test(tmp_path),
    )
    assert "x" not in dataset.features[1].values
    assert -1 in dataset.x_test[:, 1]
    assert -1 not in dataset.x_train[:, 1]


def first_row_in_test(folder: Path) -> int:
    """A seed with which the first row is in the test part."""
    path = write(folder, frame(), "probe.csv")
    seeds = (s for s in range(50) if 50.0 in read(path, target="bought", split_seed=s).x_test[:, 3])
    return next(seeds)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b"] * 20, "classification"),
        ([True, False] * 20, "classification"),
        ([3, 7] * 20, "classification"),
        ([*range(20)] * 2, "classification"),
        ([*range(21), *range(19)], "regression"),
        ([0.5, 1] * 20, "regression"),
    ],
)
def test_the_task_is_found_from_the_target(
    tmp_path: Path, values: list[Any], expected: str
) -> None:
    path = write(tmp_path, frame(bought=values))
    test_split = 0.5  # twenty classes need as many rows in each part
    assert read(path, target="bought", test_split=test_split).task == expected


def test_numbers_may_be_classes_or_values(tmp_path: Path) -> None:
    path = write(tmp_path, frame(bought=[3, 7] * 20))
    classes = read(path, target="bought")
    assert classes.class_names == ("3", "7")
    assert set(classes.y_train.tolist()) == {0, 1}
    values = read(path, target="bought", task="regression")
    assert (values.class_names, values.y_train.dtype) == ((), np.float32)
    assert set(values.y_train.tolist()) == {3.0, 7.0}


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (
            {},
            {"target": None},
            r"people: which column .* Give --target COLUMN; columns are age, ci",
        ),
        ({}, {"target": "sold"}, r"there is no column 'sold'; columns are age, city, member"),
        ({}, {"drop": ("town",)}, r"there is no column 'town'"),
        (
            {"bought": ["yes", None] * 20},
            {},
            r"people\.csv, line 3, column bought: the target is missing \(in 20 of 40 rows\)",
        ),
        ({"bought": ["yes"] * 40}, {}, "people: target bought is yes in every row"),
        (
            {"bought": ["yes", "no", "maybe", *["no"] * 37]},
            {},
            r"classes with fewer than 2 rows can't be split: yes \(1\), maybe \(1\)",
        ),
        ({}, {"task": "regression"}, "target bought has texts, and regression needs numbers"),
        (
            {"age": [*range(30), "old", *range(9)]},
            {},
            r"people\.csv, line 32, column age: expected a number, as in most rows, got 'old'",
        ),
        (
            {"age": [*range(39), "inf"]},
            {},
            r"people\.csv, line 41, column age: the number is infinite, or too large",
        ),
        ({"age": [*range(39), 1e39]}, {}, r"line 41, column age: the number is infinite"),
        ({"age": None}, {}, r"column age is empty; leave it out with --drop 'age'"),
        ({"age": 7}, {}, r"column age is 7\.0 in every row; leave it out with --drop"),
        (
            {"city": [f"{n}th street" for n in range(40)]},
            {},
            r"column city has 32 different texts in 32 rows, too many for a category",
        ),
        ({"Unnamed: 9": range(40)}, {}, r"column 7 has no name; .* --drop 'Unnamed: 9'"),
        (
            {},
            {"drop": ("age", "city", "member", "weight", "person")},
            "no column is left to predict from",
        ),
    ],
)
def test_says_what_is_wrong_and_where(
    tmp_path: Path, changes: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    path = write(tmp_path, frame(**changes))
    with pytest.raises(TrainError, match=message):
        read(path, **{"target": "bought"} | options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable CSV file: No columns"),
        (b"a,b\n", "there are no rows"),
        (b"a,b\n1,2\n1,2,3\n", "not a readable CSV file: .*line 3"),
        (b"a,b\n1,2,3\n1,2,3\n", "not a readable CSV file: Length of header"),
        (b"a,a\n1,2\n", "two columns have the name a"),
        (b"a,b\n\xff,2\n", "not a text file in UTF-8"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(TrainError, match=rf"bad\.csv: {message}"):
        read(tmp_path / "bad.csv", target="b")


def test_lines_are_those_of_an_editor(tmp_path: Path) -> None:
    """Values may have line breaks, and lines may be empty."""
    path = tmp_path / "notes.csv"
    path.write_text('note,b\n"one\ntwo",1\n\nthree,\n')
    with pytest.raises(TrainError, match=r"notes\.csv, line 5, column b: the target is missing"):
        read(path, target="b")


def test_other_files_must_fit(tmp_path: Path) -> None:
    first, second = write(tmp_path, frame()), write(tmp_path, frame(more=1), "more.csv")
    with pytest.raises(TrainError, match=r"more\.csv: expected the columns of .*differ in more"):
        read(first, second, target="bought")
    with pytest.raises(TrainError, match=r"mnist: expected CSV or Parquet files only"):
        read(first, "mnist", target="bought")
    (tmp_path / "bad.parquet").write_bytes(b"no table")
    with pytest.raises(TrainError, match=r"bad\.parquet: not a readable Parquet file"):
        read(tmp_path / "bad.parquet", target="bought")
    with pytest.raises(TrainError, match=r"gone\.csv: not a readable CSV file: No such file"):
        read(tmp_path / "gone.csv", target="bought")


def test_arrays_are_a_table_too(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 3))
    np.savez(tmp_path / "own.npz", features=x, targets=x[:, 0], feature_names=["a", "b", "c"])
    dataset = read(tmp_path / "own.npz")
    assert dataset.task == "regression"
    assert [feature.name for feature in dataset.features] == ["a", "b", "c"]
    np.testing.assert_array_equal(dataset.x_test[:, 0], dataset.y_test)
    parts = {"x_train": x[:20], "y_train": x[:20, 0] > 0, "x_test": x[20:], "y_test": x[20:, 0] > 0}
    np.savez(tmp_path / "parts.npz", **parts)
    given = read(tmp_path / "parts.npz")
    np.testing.assert_array_equal(given.x_test, x[20:].astype("f4"))
    assert given.class_names == ("false", "true")
    assert [feature.name for feature in given.features] == ["x0", "x1", "x2"]
    np.savez(tmp_path / "bad.npz", features=x, targets=x)
    with pytest.raises(
        TrainError, match=r"bad\.npz: expected targets of shape \(30,\), got \(30, 3\)"
    ):
        read(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    ("name", "rows", "features", "classes"),
    [
        ("breast_cancer", 569, 30, ("benign", "malignant")),
        ("diabetes", 442, 10, ()),
        ("iris", 150, 4, ("setosa", "versicolor", "virginica")),
        ("wine", 178, 13, ("class_0", "class_1", "class_2")),
    ],
)
def test_known_tables(name: str, rows: int, features: int, classes: tuple[str, ...]) -> None:
    dataset = read(name)
    assert (dataset.name, dataset.class_names) == (name, classes)
    assert len(dataset.x_train) + len(dataset.x_test) == rows
    assert len(dataset.features) == features


def test_penguins_come_from_npm_and_stay_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = read("penguins", cache=tmp_path)
    assert dataset.class_names == ("Adelie", "Chinstrap", "Gentoo")
    assert [one.kind for one in dataset.features] == [*["category"], *["number"] * 4, "category"]
    assert dataset.features[-1].values == ("FEMALE", "MALE")
    assert len(dataset.x_train) + len(dataset.x_test) == 344
    monkeypatch.setenv("PATH", "")  # no npm
    assert read("penguins", cache=tmp_path).sha256 == dataset.sha256
    (tmp_path / "penguins.json").write_text("[]")
    with pytest.raises(TrainError, match="npm is not installed"):
        read("penguins", cache=tmp_path)
