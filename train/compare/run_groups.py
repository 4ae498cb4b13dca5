"""Runs that differ in nothing but their seed, taken together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, mean

from tracking.metrics import MEASURES, Measure, lower_is_better
from tracking.run_session import SEED_SEPARATOR
from train.compare.finished_runs import Run
from train.errors import TrainError

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Group:
    """One line of a comparison."""

    runs: Sequence[Run]
    """The best one first."""

    @property
    def name(self) -> str:
        """That of its runs, without their seeds."""
        names = {run.name.partition(SEED_SEPARATOR)[0] for run in self.runs}
        return names.pop() if len(names) == 1 else f"{self.runs[0].name} and others"

    @property
    def options(self) -> dict[str, str]:
        """That all of its runs share."""
        return self.runs[0].options

    def values(self, metric: str) -> list[float]:
        """Of the runs that have it."""
        return [run.metrics[metric] for run in self.runs if metric in run.metrics]

    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the test accuracy that the number of test images allows (Wilson)."""
        images, accuracies = self.runs[0].test_images, self.values("test_accuracy")
        if not images or not accuracies:
            return None
        return wilson(mean(accuracies), images)


def wilson(part: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a part that was seen in so many trials (JASA 22, 1927)."""
    scale = 1 + _Z**2 / count
    centre = (part + _Z**2 / (2 * count)) / scale
    half = _Z / scale * math.sqrt(part * (1 - part) / count + _Z**2 / (4 * count**2))
    return centre - half, centre + half


def grouped(runs: Sequence[Run], metric: str) -> list[Group]:
    """Groups in the order of their mean of a metric, the best one first.

    Raises:
        TrainError: no run has the metric.

    """
    if not any(metric in run.metrics for run in runs):
        known = sorted({name for run in runs for name in run.metrics if "/" not in name})
        raise TrainError(f"no run has the metric {metric}; there are {', '.join(known)}")
    sign = 1 if lower_is_better(metric) else -1

    def place(values: list[float]) -> float:
        return sign * mean(values) if values else math.inf

    alike: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: place([run.metrics.get(metric, sign * math.inf)])):
        alike.setdefault(run.identity, []).append(run)
    return sorted(map(Group, alike.values()), key=lambda group: place(group.values(metric)))


def differing(groups: Sequence[Group]) -> list[str]:
    """The options in which groups differ, in the order of the first."""
    names = dict.fromkeys(name for group in groups for name in group.options)
    return [name for name in names if len({group.options.get(name) for group in groups}) > 1]


def departing(groups: Sequence[Group]) -> list[str]:
    """Those of them that do not follow from the groups' presets alone."""
    departures = {name for group in groups for run in group.runs for name in run.departures}
    return [name for name in differing(groups) if name in departures]


def measured(groups: Sequence[Group]) -> list[Measure]:
    """The measures that any of them has."""
    return [one for one in MEASURES if any(group.values(one.key) for group in groups)]
