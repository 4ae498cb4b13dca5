"""Types of numbers for argparse.

Each function raises ``argparse.ArgumentTypeError`` with what was expected and what was given.
"""

import argparse
from collections.abc import Callable


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return int(text)


def counts(text: str) -> tuple[int, ...]:
    """Whole numbers of at least 1, separated by commas."""
    return tuple(count(part) for part in text.split(","))


def seed(text: str) -> int:
    """A whole number from 0 to 2³¹ - 1, for random generators."""
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"expected a whole number below 2**31, got {text}")
    return int(text)


def positive(text: str) -> float:
    """A number above 0."""
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")
    return value


def not_negative(text: str) -> float:
    """A number of at least 0."""
    value = _number(text)
    return 0.0 if value == 0 else positive(text)


def between(low: float, high: float, *, or_zero: bool = False) -> Callable[[str], float]:
    """A number between two others, both excluded; zero too with ``or_zero``."""

    def number(text: str) -> float:
        value = _number(text)
        if low < value < high or (or_zero and value == 0):
            return value
        raise argparse.ArgumentTypeError(f"expected a number between {low} and {high}, got {text}")

    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text}") from None
