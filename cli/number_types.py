"""How numbers on the command line are read.

Each function raises ``argparse.ArgumentTypeError`` where a text is wrong, which says what was
expected and what came.
"""

import argparse
from collections.abc import Callable


def count(text: str) -> int:
    """A whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return int(text)


def counts(text: str) -> tuple[int, ...]:
    """Such numbers, with commas between them."""
    return tuple(count(part) for part in text.split(","))


def seed(text: str) -> int:
    """A whole number that random generators take."""
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
    """A number from 0 up."""
    value = _number(text)
    return 0.0 if value == 0 else positive(text)


def between(low: float, high: float, *, or_zero: bool = False) -> Callable[[str], float]:
    """What reads a number between two others, both excluded (or zero, where allowed)."""

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
