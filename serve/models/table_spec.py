"""The input of a model of a table, and what each of its columns accepts."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bundle.features import UNKNOWN, Feature
from bundle.manifest import TensorSpec

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True)
class TableSpec(TensorSpec):
    """A float32 input of shape (N, features) whose columns have names and kinds."""

    features: tuple[Feature, ...]
    """In the order of the columns."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the features."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def positions(self) -> dict[str, int]:
        """The column of each feature, by its name."""
        return {name: position for position, name in enumerate(self.names)}

    @cached_property
    def codes(self) -> tuple[tuple[int, dict[str, float]], ...]:
        """The column of each category, and the code of each of its texts."""
        return tuple(
            (position, {text: float(code) for code, text in enumerate(feature.values)})
            for position, feature in enumerate(self.features)
            if feature.kind == "category"
        )

    @cached_property
    def has_only_numbers(self) -> bool:
        """Is there no category and no boolean?"""
        return all(feature.kind == "number" for feature in self.features)

    @cached_property
    def accepts_missing(self) -> bool:
        """May a value of any feature be missing?"""
        return any(feature.accepts_missing for feature in self.features)

    def is_named_in(self, names: Collection[Any]) -> bool:
        """Are these the names of features, right or wrong, and not that of the input?"""
        return len(names) != 1 or [*names] != [self.name] or self.name in self.positions

    def valid(self, batch: NDArray[Any]) -> NDArray[np.bool_]:
        """Which values are accepted, of a float32 batch of shape (N, features)?"""
        with np.errstate(invalid="ignore"):  # numpy warns of a signalling NaN
            valid = (batch >= self._lowest) & (batch <= self._highest)
            if not self.has_only_numbers:
                valid &= self._is_number | (np.rint(batch) == batch)
        if self.accepts_missing:
            valid |= self._may_be_missing & np.isnan(batch)
        return np.asarray(valid)

    @cached_property
    def _lowest(self) -> NDArray[np.float32]:
        return np.array([_bounds(feature)[0] for feature in self.features], np.float32)

    @cached_property
    def _highest(self) -> NDArray[np.float32]:
        return np.array([_bounds(feature)[1] for feature in self.features], np.float32)

    @cached_property
    def _is_number(self) -> NDArray[np.bool_]:
        return np.array([feature.kind == "number" for feature in self.features])

    @cached_property
    def _may_be_missing(self) -> NDArray[np.bool_]:
        return np.array([feature.accepts_missing for feature in self.features])


def _bounds(feature: Feature) -> tuple[float, float]:
    """The smallest and largest value or code that a feature accepts."""
    if feature.kind == "boolean":
        return 0.0, 1.0
    if feature.kind == "category":
        return UNKNOWN if feature.accepts_unknown else 0.0, len(feature.values) - 1.0
    low, high = feature.limits or (None, None)
    low = -_LARGEST if low is None else max(low, -_LARGEST)
    return low, _LARGEST if high is None else min(high, _LARGEST)
