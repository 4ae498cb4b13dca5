"""What a model's inputs and outputs are like in its test set, to notice when requests differ.

Each measure is one number per row: a feature of a table, the mean and the ink of an image, the
class, the confidence, or the value of a regression. The manifest has a histogram of each. The
distance of two histograms is the population stability index: below 0.1 they are alike, above 0.25
they differ much (N. Siddiqi, "Credit Risk Scorecards", 2006).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import Feature

BINS = 10
MAX_FEATURES = 100  # of a table; further ones are not measured
MEAN, INK = "input:mean", "input:ink"
CLASS, CONFIDENCE, VALUE = "output:class", "output:confidence", "output:value"


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How often a measure has which values."""

    edges: tuple[float, ...]
    """Ascending upper bounds of all bins but the last, each inclusive."""
    shares: tuple[float, ...]
    """The share of rows in each bin, and of rows without a value (NaN)."""

    def __post_init__(self) -> None:
        """Make tuples of what JSON brings as lists, and refuse what is no histogram."""
        object.__setattr__(self, "edges", tuple(self.edges))
        object.__setattr__(self, "shares", tuple(self.shares))
        numbers = (*self.edges, *self.shares)
        if not all(type(one) in (int, float) and math.isfinite(one) for one in numbers):
            raise ValueError("a histogram has only finite numbers")
        ascend = all(low < high for low, high in itertools.pairwise(self.edges))
        if not ascend or len(self.shares) != len(self.edges) + 2 or min(self.shares) < 0:
            raise ValueError("a histogram has ascending edges, and a share for each bin and NaN")


def histogram(values: NDArray[Any]) -> Histogram:
    """The histogram of values, shape (N,), with at most ``BINS`` bins that are equally full.

    Few distinct values, such as classes and categories, get a bin each.
    """
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    distinct = np.unique(known)
    if len(distinct) > BINS:
        distinct = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:], method="lower"))
    edges = tuple(distinct[:-1].astype(float).tolist())
    found = counts(values, edges)
    return Histogram(edges=edges, shares=tuple((found / max(1, len(values))).tolist()))


def counts(values: NDArray[Any], edges: Sequence[float]) -> NDArray[np.float64]:
    """The number of values in each bin, and of NaN; shape (len(edges) + 2,)."""
    # NaN is sorted behind every edge, and so into the last bin, from which it is taken.
    found = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 2)
    missing = np.count_nonzero(np.isnan(values)) if values.dtype.kind == "f" else 0
    found[-2] -= missing
    found[-1] = missing
    return found.astype(np.float64)


def distance(shares: Sequence[float], found: Sequence[float]) -> float:
    """The population stability index of counts to reference shares, both of the same bins.

    Half a row is added to each bin, because the index of an empty bin would be infinite.
    """
    rows, bins = sum(found), len(found)
    total = sum(shares) or 1.0
    index = 0.0
    for share, count in zip(shares, found, strict=True):
        expected = (share / total * rows + 0.5) / (rows + 0.5 * bins)
        actual = (count + 0.5) / (rows + 0.5 * bins)
        index += (actual - expected) * math.log(actual / expected)
    return index


def of(
    rows: NDArray[Any],
    scores: NDArray[Any],
    features: Sequence[Feature],
    value_range: tuple[float, float] | None,
) -> dict[str, Histogram]:
    """The reference of a test set: its inputs, shape (N, …), and the outputs for them."""
    values = of_inputs(rows, features, value_range) | of_outputs(scores)
    return {name: histogram(one) for name, one in values.items()}


def of_inputs(
    rows: NDArray[Any], features: Sequence[Feature], value_range: tuple[float, float] | None
) -> dict[str, NDArray[Any]]:
    """The measures of inputs, by name, each of shape (N,).

    Args:
        rows: of a table, or images.
        features: of the table; empty for images.
        value_range: of pixels.

    """
    if features:
        known = enumerate(features[:MAX_FEATURES])
        return {f"input:{feature.name}": rows[:, column] for column, feature in known}
    low, high = value_range or (0.0, 1.0)
    flat = rows.reshape(len(rows), -1)
    ink = np.count_nonzero(flat > (low + high) / 2, axis=1) / flat.shape[1]
    return {MEAN: flat.mean(axis=1, dtype=np.float32), INK: ink.astype(np.float32)}


def of_outputs(scores: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The measures of a model's first output: probabilities (N, classes), or values (N, 1).

    By name, each of shape (N,).
    """
    if scores.ndim == 2 and scores.shape[1] > 1:
        return {CLASS: scores.argmax(axis=1), CONFIDENCE: scores.max(axis=1)}
    return {VALUE: scores.reshape(len(scores), -1)[:, 0]}
