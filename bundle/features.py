"""The features of a table: what each column of a model's input stands for.

A model of a table has one float32 input of shape (N, features), in the order of the manifest. A
number is itself, a category the index of its text in the vocabulary, a boolean 0 or 1. NaN stands
for a missing value, and ``UNKNOWN`` for a category that is not in the vocabulary. Everything else
(median, scale, one-hot) is in the graph.
"""

import math
from dataclasses import dataclass
from typing import Any

UNKNOWN = -1.0
KINDS = ("number", "category", "boolean")
_LONGEST_TEXT = 1000  # characters


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of the input."""

    name: str
    """Of the column in the data set."""
    kind: str
    """One of ``KINDS``."""
    range: tuple[float, float] | None = None
    """Smallest and largest value in the training data, of a number."""
    limits: tuple[float | None, float | None] | None = None
    """Smallest and largest value that the server accepts, of a number; None is any."""
    values: tuple[str, ...] = ()
    """The vocabulary of a category; the code of a text is its index."""
    accepts_missing: bool = False
    """Is NaN, or null in JSON, a value of it?"""
    accepts_unknown: bool = False
    """Does a category accept texts that are not in the vocabulary, as ``UNKNOWN``?"""

    def __post_init__(self) -> None:
        """Make tuples of what JSON brings as lists, and refuse what describes no feature."""
        for field in ("range", "limits", "values"):
            value = getattr(self, field)
            object.__setattr__(self, field, None if value is None else tuple(value))
        if not (_is_text(self.name) and self.kind in KINDS):
            raise ValueError(f"{str(self.name)[:50]!r} of {str(self.kind)[:50]!r} is no feature")
        self._check_values()
        self._check_bounds()
        if not all(type(flag) is bool for flag in (self.accepts_missing, self.accepts_unknown)):
            raise ValueError(f"feature {self.name} has a flag that is not true or false")

    def _check_values(self) -> None:
        if bool(self.values) != (self.kind == "category") or not all(map(_is_text, self.values)):
            raise ValueError(f"feature {self.name}: a category, and nothing else, has texts")
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"feature {self.name} has a value twice")

    def _check_bounds(self) -> None:
        if self.kind != "number" and (self.range or self.limits):
            raise ValueError(f"feature {self.name}: only a number has a range and limits")
        for bounds in (self.range or (0, 0), self.limits or (None, None)):
            if len(bounds) != 2 or not all(map(_is_bound, bounds)):
                raise ValueError(f"feature {self.name} has no two numbers in its range or limits")
        if None in (self.range or ()):
            raise ValueError(f"feature {self.name} has no two numbers in its range")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_TEXT


def _is_bound(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and math.isfinite(value))
