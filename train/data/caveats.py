"""What one should know about a data set before trusting its test result."""

import numpy as np

from bundle.features import UNKNOWN
from train.data import split
from train.data.dataset import Dataset


def find(dataset: Dataset) -> list[str]:
    """Warnings about the test set, as sentences for people."""
    rows, tested = dataset.rows_name, len(dataset.x_test)
    found = []
    if count := split.shared_rows(dataset.x_test, dataset.x_train):
        found.append(f"warning: {count} of {tested} test {rows} are training {rows}, too")
    if count := _refused(dataset):
        found.append(
            f"warning: {count} of {tested} test rows have a missing value where training rows have"
            " none, or a category that they lack; a server refuses such rows"
        )
    return found


def _refused(dataset: Dataset) -> int:
    """How many test rows have a value that the features do not accept."""
    refused = np.zeros(len(dataset.x_test), bool)
    for column, feature in enumerate(dataset.features):
        values = dataset.x_test[:, column]
        if not feature.accepts_missing:
            refused |= np.isnan(values)
        if feature.kind == "category" and not feature.accepts_unknown:
            refused |= values == UNKNOWN
    return int(refused.sum())
