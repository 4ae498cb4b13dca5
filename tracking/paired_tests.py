"""Do two models differ, judged by their results for the same rows?"""

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 0.05
RESAMPLES = 1000


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """P-value of McNemar's exact test, two-sided.

    See Dietterich, "Approximate Statistical Tests for Comparing Supervised Classification Learning
    Algorithms" (1998).

    Args:
        first: whether the first model is right, for each row.
        second: the same for the second model.

    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    rows, least = only_first + only_second, min(only_first, only_second)
    ways = total = 1  # in which 0 of the rows, and up to 0 of them, are right in the rarer way
    for number in range(least):
        ways = ways * (rows - number) // (number + 1)
        total += ways
    return min(1.0, 2 * total / (1 << rows))


def bootstrap_interval(
    first: NDArray[np.floating], second: NDArray[np.floating]
) -> tuple[float, float]:
    """95 % interval of the mean difference, first minus second, by a bootstrap over the rows.

    The random numbers have a fixed seed.

    Args:
        first: loss of the first model, for each row.
        second: the same for the second model.

    """
    difference, rng = first.astype(np.float64) - second, np.random.default_rng(0)
    rows = len(difference)
    means = [difference[rng.integers(0, rows, rows)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
