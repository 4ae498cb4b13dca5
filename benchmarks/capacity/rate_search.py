"""The highest rate at which a server still keeps its promise, by bisection."""

from collections.abc import Callable

TOLERANCE = 0.03  # of the rate
MOST_PROBES = 16


def highest(holds: Callable[[float], bool], guess: float, tolerance: float = TOLERANCE) -> float:
    """Highest rate that was seen to hold, at most ``tolerance`` below one that was seen not to.

    Or a lower one, where ``MOST_PROBES`` tries do not come so close.

    Args:
        holds: does it hold at this rate?
        guess: where to begin.
        tolerance: when to end, as a part of the rate.

    Returns:
        The rate; 0 where none of ``MOST_PROBES`` held.

    """
    low, high = 0.0, float("inf")
    rate = guess
    for _ in range(MOST_PROBES):
        if holds(rate):
            low = rate
        else:
            high = rate
        if low and high <= low * (1 + tolerance):
            break
        rate = low * 1.5 if high == float("inf") else (low + high) / 2
    return low
