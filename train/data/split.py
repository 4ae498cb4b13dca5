"""Split rows at random into parts: for training, validation and the test."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import model_selection

from train.data.dataset import Dataset
from train.errors import TrainError
from train.run_options import Options

Part = tuple[NDArray[Any], NDArray[Any]]
"""Rows and their targets."""
Indices = NDArray[np.int64]
_HINTS = {
    "validation": "; use a larger --validation-split",
    "test": "; if it was split off, use a larger --test-split",
}


def split(dataset: Dataset, options: Options) -> tuple[Part, Part]:
    """Split the training set, depending only on the options of the split.

    Returns:
        The parts for training and for validation.

    Raises:
        TrainError: a part would be empty, or would lack a class.

    """
    rows = len(dataset.x_train)
    classes = np.array(dataset.class_names)[dataset.y_train] if dataset.classes else None
    what = f"{dataset.name}: validation"
    if options.fold:
        training, validation = _fold(
            what, rows, options.fold, options.split_seed, classes, dataset.groups
        )
    else:
        training, validation = hold_out(
            *(what, rows, options.validation_split, options.split_seed),
            classes=classes,
            groups=dataset.groups,
        )
    x, y = dataset.x_train, dataset.y_train
    if dataset.classes:
        _check_classes("training", y[training], dataset)
        _check_classes("validation", y[validation], dataset)
        _check_classes("test", dataset.y_test, dataset)
    return (x[training], y[training]), (x[validation], y[validation])


def hold_out(
    what: str,
    rows: int,
    fraction: float,
    seed: int,
    *,
    classes: NDArray[Any] | None = None,
    groups: NDArray[Any] | None = None,
) -> tuple[Indices, Indices]:
    """Hold out a random part of the rows.

    Args:
        what: names the data and the part in messages.
        rows: their number.
        fraction: to hold out.
        seed: of the random order.
        classes: of each row; each part then has its share of every class.
        groups: of each row; no group is then divided.

    Returns:
        The indices that are kept, and those that are held out.

    Raises:
        TrainError: there are too few rows, or rows of a class.

    """
    held = max(1, round(rows * fraction))
    if held >= rows:
        raise TrainError(f"{what} part of {fraction:.0%} leaves none of {rows} rows for training")
    if groups is not None:
        if len(np.unique(groups)) < 2:
            raise TrainError(f"{what}: all rows have the same --id")
        divider = model_selection.GroupShuffleSplit(1, test_size=fraction, random_state=seed)
        kept_rows, held_rows = next(divider.split(np.empty(rows), groups=groups))
        return kept_rows, held_rows
    if classes is not None:
        _check_counts(what, classes, 2)
        if held < (count := len(np.unique(classes))) or rows - held < count:
            raise TrainError(
                f"{what}: {rows} rows are too few to hold out {fraction:.0%} with each of"
                f" {count} classes on both sides"
            )
    kept_rows, held_rows = model_selection.train_test_split(
        np.arange(rows), test_size=held, random_state=seed, stratify=classes
    )
    return kept_rows, held_rows


def shared_rows(part: NDArray[Any], others: NDArray[Any]) -> int:
    """How many rows of a part also are among others."""
    known = {hash(row.tobytes()) for row in others}
    return sum(hash(row.tobytes()) in known for row in part)


def _fold(
    what: str,
    rows: int,
    fold: str,
    seed: int,
    classes: NDArray[Any] | None,
    groups: NDArray[Any] | None,
) -> tuple[Indices, Indices]:
    """The rows of all other folds, and those of one fold."""
    number, folds = map(int, fold.split("/"))
    parts = rows if groups is None else len(np.unique(groups))
    if parts < folds:
        raise TrainError(f"{what}: {parts} rows or groups are too few for {folds} folds")
    if classes is not None:
        _check_counts(what, classes, folds)
    kinds = {
        (False, False): model_selection.KFold,
        (False, True): model_selection.GroupKFold,
        (True, False): model_selection.StratifiedKFold,
        (True, True): model_selection.StratifiedGroupKFold,
    }
    kind = kinds[classes is not None, groups is not None]
    divider = kind(n_splits=folds, shuffle=True, random_state=seed)
    divided: tuple[Indices, Indices] = list(divider.split(np.empty(rows), classes, groups))[
        number - 1
    ]
    return divided


def _check_counts(what: str, classes: NDArray[Any], least: int) -> None:
    counts = Counter(classes.tolist())
    if rare := [f"{value} ({count})" for value, count in counts.items() if count < least]:
        raise TrainError(
            f"{what}: classes with fewer than {least} rows can't be split: {_listed(rare)};"
            " remove them, or merge them with others"
        )


def _check_classes(part: str, targets: NDArray[np.int64], dataset: Dataset) -> None:
    counts = np.bincount(targets, minlength=dataset.classes)
    missing = [dataset.class_names[index] for index in np.flatnonzero(counts == 0)]
    if missing:
        hint = _HINTS.get(part, "")
        raise TrainError(
            f"{dataset.name}: none of the {len(targets)} {part} {dataset.rows_name} is of class"
            f" {_listed(missing)}{hint}"
        )


def _listed(texts: list[str]) -> str:
    return ", ".join(texts[:5]) + (" and others" if len(texts) > 5 else "")
