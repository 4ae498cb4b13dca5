"""The options of a run that say which data it takes, and how they are split."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli import number_types
from train.option_fields import option

IMAGE_SETS = ("digits", "mnist")
TABLE_SETS = ("breast_cancer", "diabetes", "iris", "penguins", "wine")
TABLE_SUFFIXES = (".csv", ".parquet")
TASKS = ("classification", "regression")
MOST_NUMBERED_CLASSES = 20
"""Whole numbers with more values than this are not taken for classes."""


def are_small(data: Sequence[str]) -> bool:
    """Whether the name tells that the data are a table or the digits, which mostly are small."""
    return data[0] in (*TABLE_SETS, "digits") or Path(data[0]).suffix in TABLE_SUFFIXES


def fold(text: str) -> str:
    """Check the number of a fold and of all folds, such as ``1/5``."""
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second) > 1):
        raise argparse.ArgumentTypeError(f"expected a fold such as 1/5, got {text}")
    return text


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What to learn from."""

    data: tuple[str, ...] = option(
        "data",
        str,
        f"a known data set ({', '.join(sorted((*IMAGE_SETS, *TABLE_SETS)))}); CSV or Parquet files"
        " with the same columns; an .npz file; or a folder of IDX files, or of images (PNG, JPEG)"
        " in a folder per class",
        "DATA",
        nargs="+",
        default=("mnist",),
    )
    target: str | None = option(
        "data",
        str,
        "column to predict (default: that of a known data set)",
        "COLUMN",
        default=None,
    )
    drop: tuple[str, ...] = option(
        "data", str, "columns to leave out (default: none)", "COLUMN", nargs="+", default=()
    )
    id: tuple[str, ...] = option(
        "data",
        str,
        "columns that say to whom a row belongs; they are left out, and rows with the same values"
        " are never divided between training, validation and test (default: none)",
        "COLUMN",
        nargs="+",
        default=(),
    )
    task: str | None = option(
        "data",
        str,
        "classification or regression (default: classification if the target is text, boolean, or"
        f" has at most {MOST_NUMBERED_CLASSES} different values, all of them whole numbers)",
        choices=TASKS,
        default=None,
    )
    unknown_categories: str = option(
        "data",
        str,
        "what a server does with a category that the training data lack: refuse it, or accept it"
        " as unknown",
        choices=("refuse", "accept"),
        default="refuse",
    )
    size: int = option(
        "data",
        number_types.count,
        "side of the images in pixels, to which those of a folder are scaled",
        "N",
        default=28,
    )
    class_names: Path | None = option(
        "data",
        Path,
        "file with the name of each class, one per line (default: those in the data)",
        "FILE",
        default=None,
    )
    cache: Path = option(
        "data", Path, "folder where downloaded data are stored", "DIR", default=Path("data")
    )
    test_split: float = option(
        "data",
        number_types.between(0, 1),
        "fraction of the data for the test, if they have no test part",
        "FRACTION",
        default=0.2,
    )
    validation_split: float = option(
        "data",
        number_types.between(0, 1),
        "fraction of the training set for validation, by which epochs and runs are chosen",
        "FRACTION",
    )
    fold: str | None = option(
        "data",
        fold,
        "validate on fold K of N of the training set, instead of a fraction (default: none)",
        "K/N",
        default=None,
    )
    split_seed: int = option(
        "data",
        number_types.seed,
        "random seed of the test and validation splits; only runs with the same splits are"
        " comparable",
        "N",
        default=0,
    )
