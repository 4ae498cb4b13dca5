"""Limits of features, set by whoever exports: the server refuses values outside them."""

import argparse
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bundle.features import Feature
from export.errors import ExportError


@dataclass(frozen=True)
class FeatureLimits:
    """Smallest and largest value of a feature that the server accepts; None is any."""

    feature: str
    low: float | None
    high: float | None


def parse(text: str) -> FeatureLimits:
    """Read ``FEATURE=LOW:HIGH``; either number may be left out.

    Raises:
        argparse.ArgumentTypeError: it is something else, or the lower one is larger.

    """
    name, _, bounds = text.rpartition("=")
    low, colon, high = bounds.partition(":")
    if not (name and colon and (low or high)):
        raise argparse.ArgumentTypeError(
            f"expected FEATURE=LOW:HIGH, such as age=0:120 or age=0:, got {text}"
        )
    limits = FeatureLimits(name, _number(low), _number(high))
    if limits.low is not None and limits.high is not None and limits.low > limits.high:
        raise argparse.ArgumentTypeError(f"{text}: {low} is larger than {high}")
    return limits


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, got {text}")
    return value


def with_limits(
    features: Sequence[Feature], limits: Sequence[FeatureLimits]
) -> tuple[Feature, ...]:
    """Set the limits of some features.

    Raises:
        ExportError: there is no such feature, or it is not a number.

    """
    wanted = {one.feature: (one.low, one.high) for one in limits}
    numbers = [feature.name for feature in features if feature.kind == "number"]
    for name in wanted.keys() - set(numbers):
        known = f"they are {', '.join(numbers)}" if numbers else "it has none"
        raise ExportError(f"--limits {name}: no feature of the model that is a number; {known}")
    return tuple(
        dataclasses.replace(feature, limits=wanted.get(feature.name, feature.limits))
        for feature in features
    )
