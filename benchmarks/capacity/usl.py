"""The Universal Scalability Law: what more users or workers bring, and what they cost.

Gunther: X(N) = λ N / (1 + σ (N - 1) + κ N (N - 1)); λ is the rate of one alone, σ what waits for
one another, and κ what they have to tell each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

_GOOD = 0.9  # R² from which on a fit is one


@dataclass(frozen=True)
class Law:
    """A fit."""

    alone: float
    """λ, per second."""
    contention: float
    """σ."""
    coherency: float
    """κ."""
    r_squared: float

    def rate(self, number: float) -> float:
        """X of so many."""
        return float(_rate(number, self.alone, self.contention, self.coherency))

    @property
    def best(self) -> float:
        """The number that brings most; infinite where more always bring more."""
        if self.coherency <= 0:
            return math.inf
        return math.sqrt(max(1 - self.contention, 0) / self.coherency)

    def __str__(self) -> str:
        best = f"most at {self.best:.0f}" if self.best < 200 else "more bring more"
        return (
            f"λ {self.alone:,.0f}/s, σ {self.contention:.3f}, κ {self.coherency:.5f}, {best},"
            f" R² {self.r_squared:.3f}{', a poor fit' * (self.r_squared < _GOOD)}"
        )


def fit(numbers: Sequence[float], rates: Sequence[float]) -> Law:
    """Fit the law to the rates of at least three different numbers, by least squares of parts."""
    x, y = np.asarray(numbers, float), np.asarray(rates, float)
    if len(set(numbers)) < 3:
        raise ValueError(f"three parameters need three points, not {len(set(numbers))}")
    begin = (float(y[0] / x[0]), 0.1, 0.001)
    bounds = ([0.0, 0.0, 0.0], [np.inf, 1.0, 1.0])
    found = least_squares(lambda law: _rate(x, *law) / y - 1, begin, bounds=bounds, x_scale=begin)
    alone, contention, coherency = found.x
    left = y - _rate(x, alone, contention, coherency)
    spread = float(((y - y.mean()) ** 2).sum())
    r_squared = 1 - float((left**2).sum()) / spread if spread else 1.0
    return Law(float(alone), float(contention), float(coherency), r_squared)


def _rate(
    number: float | NDArray[np.float64], alone: float, contention: float, coherency: float
) -> NDArray[np.float64]:
    count = np.asarray(number, np.float64)
    return alone * count / (1 + contention * (count - 1) + coherency * count * (count - 1))
