"""Finds the highest rate that a server sustains, by bisection."""

from collections.abc import Callable

MOST_RATES = 16


def highest(sustains: Callable[[float], bool], guess: float, tolerance: float) -> float:
    """The highest rate that was sustained, at most ``tolerance`` below one that was not.

    It may be a lower one if ``MOST_RATES`` rates do not get so close.

    Args:
        sustains: whether a rate is sustained.
        guess: where to begin.
        tolerance: when to end, as a fraction of the rate.

    Returns:
        The rate; 0 if none was sustained.

    """
    low, high = 0.0, float("inf")
    rate = guess
    for _ in range(MOST_RATES):
        if sustains(rate):
            low = rate
        else:
            high = rate
        if low and high <= low * (1 + tolerance):
            break
        rate = low * 1.5 if high == float("inf") else (low + high) / 2
    return low
